// HL7 v2 clients as their authors ship them, each behind the same few words: which one, the port,
// and on standard input a message a line. Answers with what the client understood of each
// acknowledgement.
'use strict';
const readline = require('node:readline');

const [client, port] = [process.argv[2], Number(process.argv[3])];

const clients = {
  'simple-hl7': () => {
    const hl7 = require('simple-hl7');
    const parser = new hl7.Parser({ segmentSeperator: '\r' });
    const tcp = hl7.Server.createTcpClient({ host: '127.0.0.1', port, keepalive: true });
    return {
      send: ({ text }) => new Promise((resolve, reject) => {
        tcp.send(parser.parse(text), (error, reply) => {
          if (error) return reject(error);
          const msa = reply.getSegment('MSA');
          return resolve({ code: msa.getField(1), id: msa.getField(2) });
        });
      }),
      close: () => tcp.close(),
    };
  },

  'node-hl7-client': () => {
    const { Client, Message } = require('node-hl7-client');
    let answered;
    const whole = new Client({ host: '127.0.0.1' });
    const connection = whole.createConnection({ port }, async (reply) => {
      const message = reply.getMessage();
      answered({ code: message.get('MSA.1').toString(), id: message.get('MSA.2').toString() });
    });
    const connected = new Promise((resolve) => connection.once('connect', resolve));
    return {
      send: async ({ text }) => {
        await connected;
        const reply = new Promise((resolve) => { answered = resolve; });
        await connection.sendMessage(new Message({ text }));
        return reply;
      },
      close: () => connection.close(),
    };
  },

  '@medplum/hl7': () => {
    const { Hl7Client } = require('@medplum/hl7');
    const { Hl7Message } = require('@medplum/core');
    const medplum = new Hl7Client({ host: '127.0.0.1', port });
    return {
      send: async ({ text, encoding }) => {
        (await medplum.connect()).setEncoding(encoding);
        const reply = await medplum.sendAndWait(Hl7Message.parse(text), { returnAck: 'first' });
        const msa = reply.getSegment('MSA');
        return { code: msa.getField(1).toString(), id: msa.getField(2).toString() };
      },
      close: () => medplum.close(),
    };
  },
};

async function main() {
  const sender = clients[client]();
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await sender.send(JSON.parse(line))));
  }
  await sender.close();
}

main().then(() => process.stdout.write('', () => process.exit(0)), (error) => { console.error(error); process.exit(1); });
