import { type Statement, statement } from './statement.js';

/**
 * A {@link statement} whose first parameter is an array of keys (`bytea[]`), in a form for each number of them. Of
 * `= ANY ($1)` PostgreSQL does not know how many keys there will be and reckons with ten, so a plan for any values
 * looks dearer than one for these: it would plan each call anew, which takes longer than the statement itself.
 *
 * @param textFor gets what says that a column is one of the keys.
 */
export function keyedStatement<Row>(
  name: string,
  textFor: (isKey: (column: string) => string) => string,
): Statement<Row> {
  const forms = new Map<number, Statement<Row>>();
  const formFor = (count: number): Statement<Row> => {
    const keys = Array.from({ length: count }, (_, index) => `($1::bytea[])[${index + 1}]`).join(', ');
    const text = textFor((column) => `${column} IN (${keys})`);
    return statement(count === 1 ? name : `${name}_by_${count}`, text);
  };
  return (manager, values) => {
    const { length: count } = values[0] as readonly Buffer[];
    const form = forms.get(count) ?? formFor(count);
    forms.set(count, form);
    return form(manager, values);
  };
}
