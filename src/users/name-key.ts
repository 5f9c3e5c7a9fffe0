/**
 * What names are found by: without case and accents, in the order of code points. The vowel signs of Indic and other
 * scripts stay, since they are of the name; what Unicode calls inherited (accents, Arabic vowel marks, joiners) goes.
 */
export function nameKeyOf(name: string): string {
  return (
    name
      .normalize('NFKD')
      .replace(/\p{Script=Inherited}/gu, '')
      .toLowerCase()
      // Which of the two a capital becomes depends on what follows, and the beginning of a name must find all of it.
      .replaceAll('ς', 'σ')
  );
}
