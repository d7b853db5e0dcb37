"""The real thing on one machine without containers: Kafka, Connect with Debezium, four platform databases, the hub.

Broker and Connect come from Maven Central (`pom.xml`), PostgreSQL from the wheel of the embedded server. Every part is
a process of its own with a log and a pid file below one folder, so that tests can kill and restart each of them.
"""
