// Microsoft's service client over AMQP, driven as device.js drives the device's: messages to devices, and feedback.
'use strict';

const readline = require('readline');
const { Amqp, AmqpWs, Client } = require('azure-iothub');
const { Message } = require('azure-iot-common');

let client;
let receiver;
const batches = [];
let arrived = () => {};

const commands = {
  async connect({ connection, over = 'tls' }) {
    client = Client.fromConnectionString(connection, over === 'websocket' ? AmqpWs : Amqp);
    await client.open();
    return {};
  },
  async send({ device, body, id, ack, expires, properties = {} }) {
    const message = new Message(Buffer.from(body, 'base64'));
    message.messageId = id;
    message.ack = ack;
    if (expires !== undefined) message.expiryTimeUtc = expires;
    for (const [name, value] of Object.entries(properties)) message.properties.add(name, value);
    await client.send(device, message);
    return {};
  },
  async listen() {
    receiver = await new Promise((resolve, reject) => {
      client.getFeedbackReceiver((error, opened) => (error ? reject(error) : resolve(opened)));
    });
    receiver.on('message', (batch) => { batches.push(batch); arrived(); });
    return {};
  },
  async files() {
    await new Promise((resolve, reject) => {
      client.once('disconnect', () => reject(new Error('disconnected')));  // what it tells of a link that is refused
      client.getFileNotificationReceiver((error, opened) => (error ? reject(error) : opened.on('message', resolve)));
    });
    return {};
  },
  async settle({ how }) {
    while (batches.length === 0) await new Promise((resolve) => { arrived = resolve; });
    const batch = batches.shift();
    await new Promise((resolve, reject) => {
      receiver[how](batch, (error) => (error ? reject(error) : resolve()));
    });
    return { records: JSON.parse(batch.getData().toString()) };
  },
  async close() {
    await client.close();
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
