/** What a code is for; a code of one purpose opens nothing of another. */
export type OtpPurpose = 'sign_in' | 'phone_change';
