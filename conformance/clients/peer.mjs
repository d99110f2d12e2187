// Node.js as an application (`serve PORT1 PORT2`) and as a client (`ask PORT1 PORT2`), over HTTP/1.1 and HTTP/2.
// The client prints a JSON object of what it saw.
import http from 'node:http';
import http2 from 'node:http2';

const [what, one, two] = process.argv.slice(2);

function body(message) {
  return new Promise((resolve, reject) => {
    const parts = [];
    message.on('data', part => parts.push(part));
    message.on('end', () => resolve(Buffer.concat(parts)));
    message.on('error', reject);
    message.on('aborted', () => reject(new Error('aborted')));
  });
}

async function serve1(request, response) {
  if (request.url === '/hints') {
    response.writeEarlyHints({ link: '</a.css>; rel=preload' });
    response.end('late');
    return;
  }
  const taken = await body(request);
  response.writeHead(200, { 'content-type': 'application/octet-stream', trailer: 'x-length' });
  response.write(taken);
  response.addTrailers({ 'x-length': String(taken.length) });
  response.end();
}

function serve2(stream, headers) {
  stream.on('error', () => {});
  if (headers[':path'] === '/hints') {
    stream.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' });
    stream.respond({ ':status': 200 });
    stream.end('late');
  } else if (headers[':path'] === '/reset') {
    stream.close(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
  } else {
    let length = 0;
    stream.respond({ ':status': 200, 'x-cookie': headers.cookie ?? '' }, { waitForTrailers: true });
    stream.on('data', part => { length += part.length; stream.write(part); });
    stream.on('end', () => stream.end());
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-length': String(length) }));
  }
}

function ask1(path, method, sent, agent) {
  return new Promise((resolve, reject) => {
    const seen = { hints: 0 };
    const headers = { te: 'trailers', host: 'catalog' };
    const request = http.request({ port: one, host: '127.0.0.1', path, method, agent, headers }, async response => {
      try {
        const text = await body(response);
        resolve({ ...seen, status: response.statusCode, length: text.length, trailer: response.trailers['x-length'] });
      } catch (error) {
        reject(error);
      }
    });
    request.on('information', () => { seen.hints++; });
    request.on('error', reject);
    request.end(sent);
  });
}

function ask2(session, path, sent) {
  return new Promise((resolve, reject) => {
    const seen = { hints: 0, length: 0 };
    const stream = session.request({ ':path': path, ':method': sent ? 'POST' : 'GET', cookie: ['a=1', 'b=2'] },
      { endStream: !sent });
    stream.on('headers', () => { seen.hints++; });
    stream.on('response', headers => { seen.status = headers[':status']; seen.cookie = headers['x-cookie']; });
    stream.on('data', part => { seen.length += part.length; });
    stream.on('trailers', trailers => { seen.trailer = trailers['x-length']; });
    stream.on('error', error => resolve({ ...seen, error: error.message }));
    stream.on('end', () => resolve(seen));
    if (sent) stream.end(sent);
  });
}

if (what === 'serve') {
  http.createServer({ keepAliveTimeout: 500 }, serve1).listen(one, '127.0.0.1', () => {
    const server = http2.createServer();
    server.on('stream', serve2);
    server.on('sessionError', () => {});
    server.listen(two, '127.0.0.1');
  });
} else {
  const big = Buffer.alloc(2_000_000, 'x');
  const agent = new http.Agent({ keepAlive: true, maxSockets: 10 });
  const many1 = await Promise.all(Array.from({ length: 100 }, (_, i) => ask1('/x', 'POST', Buffer.alloc(i * 100), agent)));
  const session = http2.connect(`http://127.0.0.1:${two}`);
  const many2 = await Promise.all(Array.from({ length: 100 }, (_, i) => ask2(session, '/x', Buffer.alloc(i * 100 + 1))));
  console.log(JSON.stringify({
    hints1: await ask1('/hints', 'GET', undefined, agent),
    big1: await ask1('/x', 'POST', big, agent),
    many1: many1.filter((seen, i) => seen.status === 200 && seen.length === i * 100 && seen.trailer === String(i * 100)).length,
    hints2: await ask2(session, '/hints'),
    big2: await ask2(session, '/x', big),
    reset2: await ask2(session, '/reset'),
    many2: many2.filter((seen, i) => seen.status === 200 && seen.length === i * 100 + 1).length,
  }));
  session.close();
  agent.destroy();
}
