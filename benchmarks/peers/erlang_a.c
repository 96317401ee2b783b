/* The model of heapq_loop.py in C: a binary heap of (instant, kind, customer), one FIFO queue.
 * Instants are milliseconds. Outcomes: 0 served at once, 1 served after a wait, 2 abandoned. */
#include <stdint.h>
#include <stdlib.h>

typedef struct {
    int64_t at;
    int32_t kind; /* 0: a service ends, 1: a patience ends */
    int32_t who;
} item;

static item *heap;
static int64_t size;

static int before(item a, item b) {
    if (a.at != b.at) return a.at < b.at;
    if (a.kind != b.kind) return a.kind < b.kind;
    return a.who < b.who;
}

static void push(int64_t at, int32_t kind, int32_t who) {
    item new = {at, kind, who};
    int64_t place = size++;
    while (place > 0) {
        int64_t parent = (place - 1) / 2;
        if (!before(new, heap[parent])) break;
        heap[place] = heap[parent];
        place = parent;
    }
    heap[place] = new;
}

static item pop(void) {
    item top = heap[0], last = heap[--size];
    int64_t place = 0;
    for (;;) {
        int64_t child = 2 * place + 1;
        if (child >= size) break;
        if (child + 1 < size && before(heap[child + 1], heap[child])) child++;
        if (!before(heap[child], last)) break;
        heap[place] = heap[child];
        place = child;
    }
    heap[place] = last;
    return top;
}

int run(int64_t count, int64_t agents, const int64_t *arrivals, const int64_t *services,
        const int64_t *patiences, unsigned char *outcome) {
    int32_t *line = malloc(sizeof(int32_t) * (size_t)(count + 1));
    unsigned char *left = calloc((size_t)count + 1, 1);
    int64_t head = 0, tail = 0, free_agents = agents, next = 0;
    heap = malloc(sizeof(item) * (size_t)(count + agents + 1));
    size = 0;
    if (!line || !left || !heap) return 1;
    while (next < count || size > 0) {
        if (next < count && (size == 0 || heap[0].at > arrivals[next])) {
            int32_t who = (int32_t)next++;
            if (free_agents > 0) {
                free_agents--;
                push(arrivals[who] + services[who], 0, who);
            } else {
                line[tail++] = who;
                push(arrivals[who] + patiences[who], 1, who);
            }
            continue;
        }
        item due = pop();
        if (due.kind == 0) {
            while (head < tail && left[line[head]]) head++;
            if (head < tail) {
                int32_t chosen = line[head++];
                outcome[chosen] = 1;
                push(due.at + services[chosen], 0, chosen);
            } else {
                free_agents++;
            }
        } else if (outcome[due.who] != 1) {
            outcome[due.who] = 2;
            left[due.who] = 1;
        }
    }
    free(line);
    free(left);
    free(heap);
    return 0;
}
