// Microsoft's device and provisioning clients, driven by one JSON command a line on standard input; one JSON
// answer a line on standard output. Nothing of the SDK is changed or configured beyond what its users do.
'use strict';

const readline = require('readline');
const { Client, Message, ModuleClient } = require('azure-iot-device');
const { Http } = require('azure-iot-device-http');
const { Mqtt, MqttWs } = require('azure-iot-device-mqtt');
const { ProvisioningDeviceClient } = require('azure-iot-provisioning-device');
const { Mqtt: ProvisioningMqtt, MqttWs: ProvisioningMqttWs } = require('azure-iot-provisioning-device-mqtt');
const { Http: ProvisioningHttp } = require('azure-iot-provisioning-device-http');
const { SymmetricKeySecurityClient } = require('azure-iot-security-symmetric-key');
const { X509Security } = require('azure-iot-security-x509');

const transports = { mqtt: Mqtt, websocket: MqttWs, https: Http };
const provisioningTransports = { mqtt: ProvisioningMqtt, websocket: ProvisioningMqttWs, https: ProvisioningHttp };

let client = null;
let opened = null;
let received = [];
let followed = null;
let wake = () => {};

function toMessage(wanted) {
  const message = new Message(Buffer.from(wanted.body, 'base64'));
  for (const [name, value] of Object.entries(wanted.properties || {})) message.properties.add(name, value);
  for (const field of ['messageId', 'correlationId', 'userId', 'contentType', 'contentEncoding', 'expiryTimeUtc'])
    if (wanted[field] !== undefined) message[field] = wanted[field];
  return message;
}

const commands = {
  // `key` is a symmetric key, or with `cert` the PEM key of that certificate.
  async provision({ host, scope, registration, cert, key, over = 'mqtt' }) {
    const security = cert ? new X509Security(registration, { cert, key })
      : new SymmetricKeySecurityClient(registration, key);
    const transport = new provisioningTransports[over]();
    const provisioning = ProvisioningDeviceClient.create(host, scope, transport, security);
    const result = await provisioning.register();
    return { hub: result.assignedHub, device: result.deviceId, status: result.status };
  },
  async open(how) {
    const { connection, over = 'mqtt', cert, key, renewal, settle, options } = how;
    opened = how;
    const kind = connection.includes('ModuleId=') ? ModuleClient : Client;
    client = kind.fromConnectionString(connection, transports[over]);
    client.on('error', () => {});
    if (cert) client.setOptions({ cert, key });
    if (options) client.setOptions(options);
    if (renewal) client.setOptions({ tokenRenewal: renewal });
    if (settle) await commands.listen({ settle });  // before the hub sends what it kept
    await client.open();
    return {};
  },
  async send({ messages }) {
    for (const wanted of messages) await client.sendEvent(toMessage(wanted));
    return { sent: messages.length };
  },
  // As an application does that gives up on nothing: when the SDK has given up, it opens anew.
  async sendSurely({ messages }) {
    let reopened = 0;
    for (const wanted of messages) {
      for (;;) {
        try {
          await client.sendEvent(toMessage(wanted));
          break;
        } catch (error) {
          reopened++;
          await client.close().catch(() => {});
          await commands.open(opened).catch(() => {});
        }
      }
    }
    return { sent: messages.length, reopened };
  },
  async sendTogether({ messages }) {
    await Promise.all(messages.map((wanted) => client.sendEvent(toMessage(wanted))));
    return { sent: messages.length };
  },
  async sendBatch({ messages }) {
    await client.sendEventBatch(messages.map(toMessage));
    return {};
  },
  // Answers calls of this method with what it was asked, until the end.
  async method({ name, status }) {
    await new Promise((resolve) => {
      const answer = (request, response) => response.send(status, { asked: request.payload }, () => {});
      (client.onDeviceMethod || client.onMethod).call(client, name, answer);
      setImmediate(resolve);
    });
    return {};
  },
  // From now on messages are kept until they are asked for; `settle`: complete, reject or abandon.
  async listen({ settle }) {
    client.on('message', async (message) => {
      const properties = {};
      for (let i = 0; i < message.properties.count(); i++) {
        const { key, value } = message.properties.getItem(i);
        properties[key] = value;
      }
      await client[settle](message);
      received.push({ body: Buffer.from(message.data).toString('base64'), messageId: message.messageId,
                      correlationId: message.correlationId, contentType: message.contentType, to: message.to,
                      properties });
      wake();
    });
    return {};
  },
  async received({ count }) {
    while (received.length < count) await new Promise((resolve) => { wake = resolve; });
    return { messages: received.splice(0, count) };
  },
  async twin() {
    const twin = await client.getTwin();
    return { desired: twin.properties.desired.$version };
  },
  async report({ patch }) {
    const twin = await client.getTwin();
    await new Promise((resolve, reject) => {
      twin.properties.reported.update(patch, (error) => (error ? reject(error) : resolve()));
    });
    return {};
  },
  // From now on desired properties are followed; what is known of them, once they are at this version.
  async follow() {
    followed = await client.getTwin();
    followed.on('properties.desired', () => wake());
    return {};
  },
  async desired({ version }) {
    while (followed.properties.desired.$version < version) await new Promise((resolve) => { wake = resolve; });
    return { desired: followed.properties.desired };
  },
  async close() {
    await client.close();
    client = null;
    return {};
  },
};

async function answer(line) {
  try {
    const command = JSON.parse(line);
    return { ok: true, ...(await commands[command.do](command)) };
  } catch (error) {
    return { ok: false, error: error.constructor.name, name: error.name, message: String(error.message) };
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin }))
    process.stdout.write(JSON.stringify(await answer(line)) + '\n');
  process.exit(0);
})();
