import type { SmsPurpose } from '../../sms/sms-sender.js';

/** Wordings of one text, the best first; the later ones are for where that is too long for one segment. */
export type Wordings = readonly [string, ...string[]];

/**
 * The texts that Latchkey brings. Those of Portuguese and Spanish say PIN, since neither ó nor ú is in GSM-7 and a text
 * in UCS-2 has no room for more than the code. Hindi and Arabic have 57 units beside the hash of an Android app, 48
 * beside `@localhost #code`, and 42 beside `@app.example.com #code`. In Arabic an Arabic letter stands before any
 * Latin one, so that phones write the line from the right.
 */
export const BUILT_IN_TEMPLATES: Readonly<Record<string, Readonly<Record<SmsPurpose, Wordings>>>> = {
  en: {
    sign_in: [
      '{code} is your {app} code. It expires in {minutes}. Do not share it.',
      '{code} is your {app} code. Do not share it.',
      '{code} is your code. Do not share it.',
    ],
    phone_change: [
      '{code} is your code to move your {app} account to this number. It expires in {minutes}. Do not share it.',
      '{code} is your code to move your {app} account here. Do not share it.',
      '{code} is your code to change your number. Do not share it.',
    ],
    phone_change_notice: [
      'Your {app} account has moved to another phone number. If this was not you, contact support.',
    ],
  },
  pt: {
    sign_in: [
      '{code} é o seu PIN para entrar em {app}. Vale por {minutes}. Nunca o compartilhe.',
      '{code} é o seu PIN de {app}. Nunca o compartilhe.',
      '{code} é o seu PIN. Nunca o compartilhe.',
    ],
    phone_change: [
      '{code} é o seu PIN para passar a sua conta {app} para este telefone. Vale por {minutes}. Nunca o compartilhe.',
      '{code} é o seu PIN para passar a conta {app} para aqui. Nunca o compartilhe.',
      '{code} é o seu PIN para mudar de telefone. Nunca o compartilhe.',
    ],
    phone_change_notice: [
      'A sua conta {app} passou para outro telefone. Se foi outra pessoa que pediu isso, fale com o suporte.',
    ],
  },
  es: {
    sign_in: [
      '{code} es su PIN para entrar en {app}. Caduca en {minutes}. No lo comparta.',
      '{code} es su PIN de {app}. No lo comparta.',
      '{code} es su PIN. No lo comparta.',
    ],
    phone_change: [
      '{code} es su PIN para pasar su cuenta de {app} a este teléfono. Caduca en {minutes}. No lo comparta.',
      '{code} es su PIN para pasar {app} a este teléfono. No lo comparta.',
      '{code} es su PIN para cambiar de teléfono. No lo comparta.',
    ],
    phone_change_notice: [
      'Su cuenta de {app} ha pasado a otro teléfono. Si no fue usted, contacte con el servicio de ayuda.',
    ],
  },
  fr: {
    sign_in: [
      '{code} est votre code {app}. Il expire dans {minutes}. Ne le partagez pas.',
      '{code} est votre code {app}. Ne le partagez pas.',
      '{code} est votre code. Ne le partagez pas.',
    ],
    phone_change: [
      '{code} est votre code pour transférer votre compte {app} vers ce numéro. Il expire dans {minutes}. Ne le partagez pas.',
      '{code} est votre code pour transférer votre compte {app} ici. Ne le partagez pas.',
      '{code} est votre code pour changer de numéro. Ne le partagez pas.',
    ],
    phone_change_notice: [
      "Votre compte {app} est passé à un autre numéro. Si ce n'était pas vous, contactez l'assistance.",
    ],
  },
  hi: {
    sign_in: [
      '{code} आपका {app} कोड है। {minutes} तक मान्य। किसी को न बताएं।',
      '{code} {app} कोड। {minutes} तक मान्य। किसी को न बताएं।',
      '{code} आपका {app} कोड है। किसी को न बताएं।',
      '{code} {app} कोड। किसी को न बताएं।',
      '{code} आपका {app} कोड है।',
      '{code} आपका कोड है।',
    ],
    phone_change: [
      '{code} {app} नंबर बदलने का कोड। किसी को न बताएं।',
      '{code} {app} नंबर बदलने का कोड है।',
      '{code} नंबर बदलने का कोड है।',
    ],
    phone_change_notice: [
      'आपका {app} खाता दूसरे नंबर पर चला गया। आपने नहीं किया? सहायता लें।',
      '{app} खाता दूसरे नंबर पर गया। आपने नहीं किया? सहायता लें।',
      'खाता दूसरे नंबर पर गया। आपने नहीं किया? सहायता लें।',
    ],
  },
  ar: {
    sign_in: [
      '{code} رمز الدخول إلى {app}. صلاحيته {minutes}. لا تشاركه.',
      '{code} رمزك في {app}. صلاحيته {minutes}. لا تشاركه.',
      '{code} رمزك في {app}. لا تشاركه مع أحد.',
      '{code} رمزك في {app}. لا تشاركه.',
      '{code} رمزك في {app}.',
      '{code} رمز الدخول.',
    ],
    phone_change: [
      '{code} رمز تغيير رقمك في {app}. لا تشاركه مع أحد.',
      '{code} رمز تغيير رقمك في {app}. لا تشاركه.',
      '{code} رمز تغيير رقمك في {app}.',
      '{code} رمز تغيير رقمك.',
    ],
    phone_change_notice: [
      'انتقل حسابك في {app} إلى رقم آخر. إن لم تفعل ذلك، فاتصل بالدعم.',
      'انتقل حسابك إلى رقم آخر. إن لم تفعل ذلك، فاتصل بالدعم.',
    ],
  },
};
