"""What must hold on a real Apache Kafka; `broker` starts one."""
