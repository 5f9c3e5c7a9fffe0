/** One fault of a request body or query. */
export interface FieldFault {
  /** Path of the field, its parts joined by dots; empty for the body itself. */
  field: string;
  /** Stable; see {@link FIELD_CODES}. */
  code: FieldCode;
  /** For developers, in English. */
  message: string;
}

/** What can be wrong with a field. */
export const FIELD_CODES = {
  required: 'It is missing.',
  type: 'It is of another JSON type.',
  too_short: 'It has too few characters or items.',
  too_long: 'It has too many characters or items.',
  out_of_range: 'The number is outside its bounds.',
  not_allowed: 'It is none of the values that are allowed.',
  format: 'It is not written as it must be.',
  unsafe_text: 'It holds a control character, a bidi override, or half of a surrogate pair.',
  duplicate: 'It names the same thing twice.',
  unknown_field: 'There is no field of that name.',
  unchanged: 'It is what it was before.',
} as const;

export type FieldCode = keyof typeof FIELD_CODES;

interface ProblemDefinition {
  status: number;
  title: string;
  /** What a client should do about it. */
  advice: string;
  /** Members beside the standard ones (RFC 9457). */
  members?: Readonly<Record<string, string>>;
}

const RETRY_AFTER = { retry_after: 'Seconds to wait; the same as the header `Retry-After`.' } as const;

/** Every refusal there is: code, status, text, and the members it carries. Nothing else answers an error. */
export const PROBLEMS = {
  malformed_request: {
    status: 400,
    title: 'The request could not be read',
    advice:
      'Send well-formed JSON, a well-formed URL, and at most 16 KiB of headers. Repeating the same request cannot help.',
  },
  access_token_invalid: {
    status: 401,
    title: 'The access token is missing or not valid',
    advice: 'Refresh once; if that is refused too, ask the user to sign in.',
  },
  access_token_expired: {
    status: 401,
    title: 'The access token has expired',
    advice: 'Refresh, then repeat the request.',
  },
  refresh_token_invalid: {
    status: 401,
    title: 'The refresh token is not valid',
    advice: 'The session is over: forget its tokens and ask the user to sign in.',
  },
  refresh_token_reused: {
    status: 401,
    title: 'The refresh token was used before',
    advice:
      'Somebody else may have had it, so the session has ended: forget its tokens and ask the user to sign in. A ' +
      'client that refreshes once at a time, and keeps what it is answered, never meets this.',
  },
  otp_invalid: {
    status: 401,
    title: 'The code is wrong',
    advice: 'Let the user try again while `attempts_remaining` is above 0, then ask for a new code.',
    members: { attempts_remaining: 'Guesses that are left on this code.' },
  },
  account_suspended: {
    status: 403,
    title: 'The account is suspended',
    advice: 'Tell the user to contact support. The code was right and is used up.',
  },
  forbidden: {
    status: 403,
    title: 'This is not allowed',
    advice:
      'It takes a role that the user does not have, or that is not in force: an administrator signs in again with ' +
      '`min_code_length` 8.',
  },
  reauthentication_required: {
    status: 403,
    title: 'This needs a sign-in within the last ten minutes',
    advice: 'Ask the user to sign in again (signup and verify), and repeat with the new access token.',
  },
  test_account: {
    status: 403,
    title: 'Test accounts cannot do this',
    advice:
      'The account is one for the review of the app, which signs in with a fixed code: it is not moved, exported or ' +
      'deleted. Sign in with the number of a phone to try it.',
  },
  not_found: {
    status: 404,
    title: 'There is nothing here',
    advice: 'Check method and path.',
  },
  otp_not_found: {
    status: 404,
    title: 'No code is pending',
    advice:
      'Ask for a code. A code asked for with a `code_challenge` is only there for its `code_verifier`, and only once.',
  },
  profile_already_completed: {
    status: 409,
    title: 'The profile is complete already',
    advice: 'Show the profile, and change it with PATCH.',
  },
  picture_limit_reached: {
    status: 409,
    title: 'There are six pictures already',
    advice: 'Let the user delete a picture first. Nothing of this request was kept.',
  },
  last_picture: {
    status: 409,
    title: 'A complete profile keeps at least one picture',
    advice: 'Upload another picture first, then delete this one.',
  },
  cannot_suspend_yourself: {
    status: 409,
    title: 'Nobody suspends themselves',
    advice: 'Let another administrator do it.',
  },
  phone_number_taken: {
    status: 409,
    title: 'The phone number belongs to another account',
    advice: 'Tell the user; who wants that account signs in with that number instead. The code is used up.',
  },
  interest_name_taken: {
    status: 409,
    title: 'Another interest has that name',
    advice:
      'Choose another name, or change that interest; it may be an inactive one. Upper and lower case are the same.',
  },
  interest_slug_taken: {
    status: 409,
    title: 'Another interest has that slug, or had it before',
    advice: 'Choose another slug: one that was given once keeps its meaning.',
  },
  otp_expired: {
    status: 410,
    title: 'The code has expired',
    advice: 'Ask for a new code.',
  },
  profile_changed: {
    status: 412,
    title: 'The profile has changed since it was read',
    advice: 'Read it again, show what is new, and repeat the change with the new `ETag`.',
  },
  payload_too_large: {
    status: 413,
    title: 'The request is too large',
    advice: 'JSON bodies hold at most 64 KiB, a picture at most 10 MiB.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The content type is not supported',
    advice: 'Send `Content-Type: application/json`; pictures go as `multipart/form-data`.',
  },
  unsupported_picture: {
    status: 415,
    title: 'The picture is of no supported type',
    advice:
      'Send JPEG, PNG, WebP or AVIF; convert others, such as HEIC, on the device. The name of the file is of no matter.',
  },
  validation_failed: {
    status: 422,
    title: 'The request has faults',
    advice: 'Show each entry of `errors` beside its field.',
    members: { errors: 'All faults: `field` (path), `code` (stable), `message` (for developers).' },
  },
  idempotency_key_reused: {
    status: 422,
    title: 'The Idempotency-Key belongs to another request',
    advice: 'Make a new key for each request that is meant anew; repeat one only with the very same body.',
  },
  phone_number_invalid: {
    status: 422,
    title: 'That is not a phone number',
    advice: 'Ask the user to check the number. It starts with + and the country code.',
  },
  phone_number_unsupported: {
    status: 422,
    title: 'That kind of phone number is not supported',
    advice: 'Ask for a mobile number of a supported country.',
  },
  phone_number_unreachable: {
    status: 422,
    title: 'That number cannot be reached by text message',
    advice: 'Ask the user to check the number, or to use another.',
  },
  picture_unreadable: {
    status: 422,
    title: 'The picture cannot be read',
    advice:
      'It is damaged, has more than 50 megapixels, or a side of more than 16,384 pixels. Ask for another, or scale it down first.',
  },
  otp_attempts_exceeded: {
    status: 429,
    title: 'The code has no guesses left',
    advice: 'Ask for a new code once `retry_after` seconds have passed.',
    members: RETRY_AFTER,
  },
  otp_cooldown: {
    status: 429,
    title: 'A code was sent a moment ago',
    advice: 'Wait `retry_after` seconds before asking for another; the code that was sent stays good.',
    members: RETRY_AFTER,
  },
  otp_limit_reached: {
    status: 429,
    title: 'Too many codes were asked for',
    advice: 'Wait `retry_after` seconds; until then no code is sent.',
    members: RETRY_AFTER,
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    advice:
      'Wait `retry_after` seconds, then repeat. What is left before it comes to this, the headers `RateLimit-*` say.',
    members: RETRY_AFTER,
  },
  internal_error: {
    status: 500,
    title: 'Something went wrong on our side',
    advice: 'Repeat later. If it stays, report the `request_id`.',
  },
  service_unavailable: {
    status: 503,
    title: 'The service is not available',
    advice: 'Repeat with growing pauses.',
  },
  storage_unavailable: {
    status: 503,
    title: 'Pictures cannot be kept or shown at the moment',
    advice: 'Repeat with growing pauses. Nothing of an upload was kept.',
  },
  sms_unavailable: {
    status: 503,
    title: 'Text messages cannot be sent at the moment',
    advice: 'Repeat after `retry_after` seconds.',
    members: RETRY_AFTER,
  },
} as const satisfies Record<string, ProblemDefinition>;

export type ProblemCode = keyof typeof PROBLEMS;

interface MembersByCode {
  otp_invalid: { attempts_remaining: number };
  validation_failed: { errors: readonly FieldFault[] };
  otp_attempts_exceeded: { retry_after: number };
  otp_cooldown: { retry_after: number };
  otp_limit_reached: { retry_after: number };
  rate_limited: { retry_after: number };
  sms_unavailable: { retry_after: number };
}

/** The members that a problem of this code must be given. */
export type ProblemMembers<C extends ProblemCode> = C extends keyof MembersByCode
  ? MembersByCode[C]
  : undefined;
