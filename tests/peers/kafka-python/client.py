#!/usr/bin/python3
"""Debian's python3-kafka (kafka-python) as a program:  client.py VERB JSON

VERB   produce   sends the records of a file; {"event": "acked", "records": N} after each part (the last when told to by a line)
       consume   reads in a group, prints, then commits; leaves at SIGTERM
       admin     makes, tells and deletes topics and groups
Prints one JSON object a line. A record is [topic, partition, offset, timestamp, key, value, [[name, value], ...]], bytes in base64, to be sent without the first three.
"""
import base64
import json
import signal
import sys
import threading

import kafka
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic
from kafka.errors import CommitFailedError


def say(event, **what):
    print(json.dumps({"event": event, **what}), flush=True)


def packed(data):
    return None if data is None else base64.b64encode(data).decode()


def unpacked(text):
    return None if text is None else base64.b64decode(text)


def common(order):
    settings = {"bootstrap_servers": order["broker"], "client_id": "kafka-python", "retry_backoff_ms": 100, "reconnect_backoff_max_ms": 500}
    if "sasl" in order:
        sasl = order["sasl"]
        settings |= {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": sasl["mechanism"], "sasl_plain_username": sasl["username"], "sasl_plain_password": sasl["password"]}
    return settings


def produce(order):
    with open(order["file"], encoding="ascii") as lines:
        records = [json.loads(line) for line in lines]
    codec = order["codec"]
    producer = kafka.KafkaProducer(acks="all", retries=1000, max_in_flight_requests_per_connection=1, linger_ms=5, max_block_ms=order["patience"] * 1000, compression_type=None if codec == "none" else codec, **common(order))
    for start in range(0, len(records), order["part"]):
        if order["wait"] and start + order["part"] >= len(records):
            sys.stdin.readline()
        sent = []
        for timestamp, key, value, headers in records[start:start + order["part"]]:
            sent.append(producer.send(order["topic"], key=unpacked(key), value=unpacked(value), headers=[(n, unpacked(v)) for n, v in headers], timestamp_ms=timestamp))
        for future in sent:
            future.get(order["patience"])
        say("acked", records=start + len(sent))
    producer.close()


def consume(order):
    leave = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: leave.set())
    consumer = kafka.KafkaConsumer(group_id=order["group"], auto_offset_reset="earliest", enable_auto_commit=False, session_timeout_ms=6000, heartbeat_interval_ms=300, **common(order))

    class Share(kafka.ConsumerRebalanceListener):
        def on_partitions_revoked(self, revoked):
            pass

        def on_partitions_assigned(self, assigned):
            say("assigned", partitions=sorted(p.partition for p in assigned))

    consumer.subscribe([order["topic"]], listener=Share())
    while not leave.is_set():
        batches = consumer.poll(timeout_ms=100)
        if not batches:
            continue
        say("records", records=[[r.topic, r.partition, r.offset, r.timestamp, packed(r.key), packed(r.value), [[n, packed(v)] for n, v in r.headers]] for batch in batches.values() for r in batch])
        try:
            consumer.commit()
        except CommitFailedError:
            continue  # the group has rebalanced: who has the partition now reads these again
        say("committed", offsets=[[p.partition, batch[-1].offset + 1] for p, batch in batches.items()])
    consumer.close(autocommit=False)
    say("left")


def admin(order):
    client = KafkaAdminClient(**common(order))
    topic, group = order["topic"], order["group"]
    client.create_topics([NewTopic(topic, 3, 1, topic_configs={"retention.ms": "3600000"})])
    client.create_partitions({topic: NewPartitions(5)})
    described, = client.describe_topics([topic])
    configs, = client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    say("created", error=described["error_code"], partitions=sorted(p["partition"] for p in described["partitions"]), leaders=sorted({p["leader"] for p in described["partitions"]}),
        retention=next(entry[1] for entry in configs.resources[0][4] if entry[0] == "retention.ms"))
    client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "7200000"})])
    configs, = client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    say("altered", retention=next(entry[1] for entry in configs.resources[0][4] if entry[0] == "retention.ms"))
    try:
        client.create_topics([NewTopic(topic, 3, 1)])
    except kafka.errors.TopicAlreadyExistsError as e:
        say("refused", code=e.errno)
    groups = {name: kind for name, kind in client.list_consumer_groups()}
    about, = client.describe_consumer_groups([group])
    say("groups", names=sorted(groups), kind=groups.get(group), state=about.state, members=len(about.members), offsets=sorted([p.partition, o.offset] for p, o in client.list_consumer_group_offsets(group).items()))
    say("deleted", groups=[[name, error.errno] for name, error in client.delete_consumer_groups([group])], topics=[list(t) for t in client.delete_topics([topic, order["read"]]).topic_error_codes])
    say("after", groups=sorted(name for name, _ in client.list_consumer_groups()), topics=sorted(client.list_topics()))
    client.close()


say("client", name="kafka-python", version=kafka.__version__)
{"produce": produce, "consume": consume, "admin": admin}[sys.argv[1]](json.loads(sys.argv[2]))
