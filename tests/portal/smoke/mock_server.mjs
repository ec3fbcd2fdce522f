// A vmrd that has one room, three other people and no media of its own: it serves the built page with the
// daemon's headers, speaks the API, the events and the signalling, and hands offers to `answer` (smoke/run.mjs
// answers with a second browser page). What the page asked for is in `calls`.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { WebSocketServer } from 'ws';

const kTypes = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
export const kCsp = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "media-src 'self' blob: mediastream:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const receipt = { signalling: 'TLSv1.3 TLS_AES_256_GCM_SHA384', media: 'DTLS-SRTP AEAD_AES_256_GCM 256', encrypted: true };

export function person(id, changes = {}) {
  return {
    id, name: id, role: 'guest', state: 'in_room', lobby_reason: null, leg: 'webrtc', muted: false, self_muted: false,
    talking: false, hand: false, spotlight: false, sharing: false, joined_at: '2026-01-01T10:00:00Z',
    crypto: receipt, grants: [], ...changes,
  };
}

const board = () => ({
  id: 'board', title: 'Board meeting', aliases: ['board', '4711'], locked: false, layout: 'speaker', guests_allowed: true,
  has_host_pin: true, has_guest_pin: false, host_present: true, unencrypted: false, muted_guests: false,
  mute_newcomers: false, chat_allowed: true, encryption: 'best_effort', host_absence: 'end', started_at: null, recording: false,
  participant_count: 3,
});

const kOthers = [
  person('p-ada', { name: 'Ada Lovelace', role: 'host', leg: 'sip' }),
  person('p-phone', { name: '+49 30 1234567', leg: 'phone', crypto: { signalling: 'none', media: 'none', encrypted: false } }),
  person('p-grace', { name: 'Grace Hopper', hand: true, self_muted: true }),
  person('p-wait', { name: 'Alan Turing', state: 'lobby', lobby_reason: 'locked' }),
];

export class MockServer {
  constructor(dist, answer) {
    Object.assign(this, { dist, answer, calls: [], legs: new Set(), events: new Set(), nextEvent: 1, joins: 0 });
    this.reset();
  }

  reset() {
    this.room = board();
    this.people = new Map(kOthers.map((one) => [one.id, { ...one }]));
    this.calls = [];
    this.startState = { state: 'in_room', role: 'host' };
    this.accepting = true;
    this.refusal = '';
    for (const socket of [...this.legs, ...this.events]) socket.terminate();
  }

  listen() {
    this.http = createServer((request, response) => void this.on_requested(request, response));
    this.sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered][0] });
    this.http.on('upgrade', (request, socket, head) => {
      if (!this.accepting) return socket.destroy();
      this.sockets.handleUpgrade(request, socket, head, (ws) => this.on_socket(ws, request));
    });
    return new Promise((done) => this.http.listen(0, '127.0.0.1', () => done(`http://127.0.0.1:${this.http.address().port}`)));
  }

  close() {
    this.reset();
    this.http.closeAllConnections();
    this.http.close();
  }

  async on_requested(request, response) {
    const url = new URL(request.url, 'http://x');
    if (url.pathname.startsWith('/api/v1/')) return this.on_api(request, response, url.pathname.slice(7));
    const name = normalize(url.pathname);
    const file = extname(name) ? name : '/index.html';
    try {
      const body = await readFile(join(this.dist, file));
      response.writeHead(200, { 'Content-Type': kTypes[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': kCsp });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  }

  async on_api(request, response, path) {
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = text ? JSON.parse(text) : undefined;
    this.calls.push({ method: request.method, path, body });
    const [status, answer] = this.perform(request, path, body);
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(answer === undefined ? undefined : JSON.stringify(answer));
  }

  perform(request, path, body) {
    const bearer = request.headers.authorization ?? '';
    if (path === '/session' && request.method === 'POST') {
      return body.token === 'once' ? [201, { token: 'admin-bearer', expires_at: '2027-01-01T00:00:00Z', kind: 'admin' }]
        : [401, { title: 'Unauthorized', status: 401, type: 'about:blank' }];
    }
    if (path.startsWith('/join/')) return [200, { alias: 'board', title: 'Board meeting', asks_pin: this.startState.state === 'pin' }];
    if (!bearer.startsWith('Bearer ')) return [401, { title: 'Unauthorized', status: 401, type: 'about:blank' }];
    if (path === '/rooms') return [200, { rooms: [{ ...this.room, numbers: ['2000'], dial_in: ['+49 30 123456'] }, { ...board(), id: 'open', title: 'Open room', aliases: ['open'], has_host_pin: false, guests_allowed: false, participant_count: 0 }] }];
    if (path === '/status') {
      return [200, { version: '0.1.0', uptime_seconds: 300, rooms: 2, participants: 3, sip: { tls: 'sips:board@192.0.2.7:5061' },
        numbers: ['+49 30 123456', '+49 30 999'], pins: { board: { host: '482913' } } }];
    }
    return this.control(request.method, path, body);
  }

  control(method, path, body) {
    const settings = { '/rooms/board/lock': 'locked', '/rooms/board/layout': 'layout', '/rooms/board/mute-guests': 'muted', '/rooms/board/mute-newcomers': 'muted', '/rooms/board/chat': 'allowed' };
    if (settings[path]) {
      const field = { '/rooms/board/mute-guests': 'muted_guests', '/rooms/board/mute-newcomers': 'mute_newcomers', '/rooms/board/chat': 'chat_allowed' }[path] ?? settings[path];
      this.room[field] = body[settings[path]];
      this.emit('vmr.room.updated', this.room);
      return [204];
    }
    if (path === '/rooms/board/messages') this.emit('vmr.message', { participant: 'p-me', name: this.people.get('p-me').name, text: body.text });
    const one = /^\/rooms\/board\/participants\/([^/]+)(?:\/(\w+))?$/.exec(path);
    const who = one && this.people.get(one[1]);
    if (who) this.controlPerson(method, who, one[2], body);
    if (path === '/rooms/board/end') this.emit('vmr.room.ended', { cause: 'ended_by_host' });
    return who || path.startsWith('/rooms/board/') ? [204] : [404, { title: 'Not found', status: 404, type: 'about:blank' }];
  }

  controlPerson(method, who, action, body) {
    if (method === 'DELETE' || action === 'refuse') {
      this.people.delete(who.id);
      this.emit('vmr.participant.left', { ...who, state: 'left' });
      return;
    }
    if (method === 'PATCH') Object.assign(who, body);
    if (action === 'admit') Object.assign(who, { state: 'in_room', lobby_reason: null });
    if (action === 'hold') Object.assign(who, { state: 'lobby', lobby_reason: 'held' });
    this.emit('vmr.participant.updated', who);
  }

  emit(type, data) {
    const event = { specversion: '1.0', id: String(this.nextEvent++), source: '/vmr', type, subject: 'board', time: '2026-01-01T10:00:00Z', data };
    for (const socket of this.events) socket.send(JSON.stringify(event));
  }

  on_socket(socket, request) {
    if (request.url.startsWith('/api/v1/events')) {
      this.events.add(socket);
      socket.on('close', () => this.events.delete(socket));
      const event = { specversion: '1.0', id: String(this.nextEvent++), source: '/vmr', type: 'vmr.snapshot', subject: 'board', data: { room: this.room, participants: [...this.people.values()] } };
      socket.send(JSON.stringify(event));
      return;
    }
    this.legs.add(socket);
    socket.on('close', () => this.legs.delete(socket));
    socket.on('message', (data) => void this.on_leg_message(socket, JSON.parse(data)));
  }

  state(message) {
    for (const socket of this.legs) socket.send(JSON.stringify({ type: 'state', ...message }));
  }

  async on_leg_message(socket, message) {
    const send = (value) => socket.send(JSON.stringify(value));
    this.calls.push({ leg: message.type, body: message });
    if (message.type === 'join' && this.refusal) {
      send({ type: 'state', state: 'left', cause: this.refusal });
    } else if (message.type === 'join') {
      const resumed = Boolean(message.reconnect);
      if (!resumed) this.people.set('p-me', person('p-me', { name: message.name, role: this.startState.role ?? 'guest', state: this.startState.state }));
      send({ type: 'joined', participant: 'p-me', room: 'board', token: `leg-${++this.joins}`, ice_servers: [], resumed });
      send({ type: 'state', ...(resumed ? { state: 'in_room', role: 'host' } : this.startState) });
    } else if (message.type === 'offer') {
      const sdp = await this.answer(message.sdp);
      if (socket.readyState === 1) send({ type: 'answer', sdp });
    } else if (message.type === 'digits') {
      this.on_pin(message.digits);
    } else if (message.type === 'content') {
      Object.assign(this.people.get('p-me'), { sharing: message.sharing });
      this.emit('vmr.participant.updated', this.people.get('p-me'));
    }
  }

  on_pin(digits) {
    if (digits !== '482913#') {
      this.state({ state: 'pin', attempts_left: 2 });
      return;
    }
    Object.assign(this.people.get('p-me'), { state: 'in_room', role: 'host' });
    this.state({ state: 'in_room', role: 'host' });
  }
}
