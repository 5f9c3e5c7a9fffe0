import { applyDecorators } from '@nestjs/common';

import { IsText, rule } from '../platform/http/text.decorators.js';

// Letters and marks of any script, at least one letter, with spaces, hyphens, apostrophes and full stops. The joiners
// of Indic and Persian script are part of a word where they stand between letters, and invisible anywhere else.
const PERSON_NAME =
  /^(?=.*\p{L})(?:[\p{L}\p{M} \-\u2010\u2011'\u2019.]|(?<=[\p{L}\p{M}])[\u200c\u200d](?=[\p{L}\p{M}]))+$/u;

/** A person's name: 2 to 100 characters as people count them. */
export const IsPersonName = (): PropertyDecorator =>
  applyDecorators(
    IsText({ min: 2, max: 100 }),
    rule(
      'personName',
      '$property must be letters, with spaces, hyphens, apostrophes and full stops between them',
      (text) => PERSON_NAME.test(text),
    ),
  );
