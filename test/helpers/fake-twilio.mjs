import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

export const ACCOUNT_SID = `AC${'0a'.repeat(16)}`;
export const AUTH_TOKEN = 'the-auth-token-of-a-fake';
export const MESSAGING_SERVICE_SID = `MG${'0b'.repeat(16)}`;

const PATH = `/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`;

/**
 * A server that speaks the protocol of Twilio's Messages resource, and answers by number what a test has scripted. It
 * can be told to report what becomes of texts, signed as Twilio does.
 */
export class FakeTwilio {
  /** Every request, in the order in which they came. */
  requests = [];

  #scripts = new Map();
  #credentials;
  #server = createServer((request, response) => void this.#answer(request, response));

  static async start({ user = ACCOUNT_SID, password = AUTH_TOKEN } = {}) {
    const fake = new FakeTwilio();
    fake.#credentials = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    fake.#server.listen(0, '127.0.0.1');
    await once(fake.#server, 'listening');
    return fake;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** The environment of an app that sends its texts here. */
  environment(more = {}) {
    return {
      SMS_MODE: 'live',
      TWILIO_ACCOUNT_SID: ACCOUNT_SID,
      TWILIO_AUTH_TOKEN: AUTH_TOKEN,
      TWILIO_MESSAGING_SERVICE_SID: MESSAGING_SERVICE_SID,
      TWILIO_API_BASE_URL: this.url,
      ...more,
    };
  }

  /** Has a number answered so: each request by the next answer, and by the last one from then on. */
  script(to, ...answers) {
    this.#scripts.set(to, answers);
  }

  /** The requests for a number. */
  of(to) {
    return this.requests.filter(({ form }) => form.To === to);
  }

  /** The code in the newest text to a number. */
  code(to) {
    return /^\d{4,8}/.exec(this.of(to).at(-1)?.form.Body ?? '')?.[0];
  }

  /** Reports what became of a text to an app, as Twilio does: signed for the public URL, sent to where it listens. */
  report(
    appUrl,
    { url, sid, status, errorCode, token = AUTH_TOKEN, accountSid = ACCOUNT_SID, query = '', ...more },
  ) {
    const form = {
      SmsSid: sid,
      SmsStatus: status,
      MessageSid: sid,
      MessageStatus: status,
      AccountSid: accountSid,
      ApiVersion: '2010-04-01',
      ...(errorCode !== undefined && { ErrorCode: String(errorCode) }),
      ...more,
    };
    const signature = more.signature ?? signatureOf(token, url + query, form);
    delete form.signature;
    return fetch(appUrl + new URL(url).pathname + query, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8',
        ...(signature !== null && { 'X-Twilio-Signature': signature }),
      },
      body: new URLSearchParams(form).toString(),
    });
  }

  async stop() {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(request, response) {
    const { method, url, headers } = request;
    const form = Object.fromEntries(new URLSearchParams(await text(request).catch(() => '')));
    const received = { method, url, headers, form };
    this.requests.push(received);
    const script = this.#scripts.get(form.To) ?? [];
    const answer = (script.length > 1 ? script.shift() : script[0]) ?? 'created';

    if (answer === 'hang') return;
    if (answer === 'drop') {
      request.socket.resetAndDestroy();
      return;
    }
    if (answer === 'cut') {
      response.writeHead(201, { 'content-type': 'application/json', 'content-length': 1000 });
      response.write('{"sid":"SM');
      setImmediate(() => request.socket.resetAndDestroy());
      return;
    }
    if (answer.slow !== undefined) await delay(answer.slow, undefined, { ref: false });
    const { status, body, retryAfter } = this.#bodyOf(request, form, answer);
    received.sid = body?.sid;
    const isHtml = typeof body === 'string';
    response.writeHead(status, {
      'content-type': isHtml ? 'text/html' : 'application/json; charset=utf-8',
      ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
    });
    response.end(isHtml ? body : JSON.stringify(body));
  }

  #bodyOf({ method, url, headers }, form, answer) {
    if (headers.authorization !== this.#credentials) {
      return errorBody({
        status: 401,
        code: 20003,
        message: 'Authenticate',
        detail: 'Your AccountSid or AuthToken was incorrect.',
      });
    }
    if (method !== 'POST' || url !== PATH) {
      return errorBody({ status: 404, code: 20404, message: `The requested resource ${url} was not found` });
    }
    if (!form.To) return errorBody({ code: 21604, message: "A 'To' phone number is required." });
    if (!form.Body) return errorBody({ code: 21602, message: 'Message body is required.' });
    if (!form.From && !form.MessagingServiceSid) {
      return errorBody({ code: 21603, message: "A 'From' phone number is required." });
    }
    if (answer.html !== undefined) return { status: answer.status, body: answer.html };
    if (answer.json !== undefined) return { status: answer.status, body: answer.json };
    if (answer.code !== undefined) return errorBody({ ...answer, to: form.To });
    return { status: 201, body: { ...messageOf(form), ...answer.message } };
  }
}

// Twilio names the number in what it says.
function errorBody({
  status = 400,
  code,
  to = '',
  message = `Refused: the number ${to} and its code`,
  detail,
  retryAfter,
}) {
  const body = { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status };
  return { status, body: detail === undefined ? body : { ...body, detail }, retryAfter };
}

function messageOf({ To: to, Body: body, From: from = null, MessagingServiceSid: service = null }) {
  const sid = `SM${randomBytes(16).toString('hex')}`;
  const uri = `/2010-04-01/Accounts/${ACCOUNT_SID}/Messages/${sid}`;
  const now = new Date().toUTCString().replace('GMT', '+0000');
  return {
    account_sid: ACCOUNT_SID,
    api_version: '2010-04-01',
    body,
    date_created: now,
    date_sent: null,
    date_updated: now,
    direction: 'outbound-api',
    error_code: null,
    error_message: null,
    from,
    messaging_service_sid: service,
    num_media: '0',
    num_segments: service === null ? '1' : '0',
    price: null,
    price_unit: service === null ? 'USD' : null,
    sid,
    status: service === null ? 'queued' : 'accepted',
    subresource_uris: { media: `${uri}/Media.json` },
    to,
    uri: `${uri}.json`,
  };
}

/** As https://www.twilio.com/docs/usage/security describes it; the app goes by Twilio's own library. */
function signatureOf(token, url, form) {
  const fields = Object.keys(form)
    .sort()
    .map((name) => name + form[name]);
  return createHmac('sha1', token)
    .update(url + fields.join(''))
    .digest('base64');
}
