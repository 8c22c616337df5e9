"""Eclipse Paho, in the versions of Debian 12 (1.6) and 13 (2.1)."""
import paho.mqtt.client as paho

V31, V311 = paho.MQTTv31, paho.MQTTv311


def client(client_id, **options):
    """A Client with the callbacks of version 1."""
    versions = getattr(paho, "CallbackAPIVersion", None)
    return paho.Client(*([versions.VERSION1] if versions else []), client_id=client_id, **options)
