/** An interest as it stands on a profile. */
export interface ChosenInterest {
  id: string;
  name: string;
  slug: string;
}

/** SQL: the interests of the user `<alias>.id` as a JSON array of {@link ChosenInterest}, by name. */
export function interestsOf(alias: string): string {
  return `(
    SELECT coalesce(json_agg(json_build_object('id', i.id, 'name', i.name, 'slug', i.slug)
                             ORDER BY i.name_key COLLATE "C"), '[]')
    FROM user_event_interests c JOIN event_interests i ON i.id = c.event_interest_id
    WHERE c.user_id = ${alias}.id)`;
}
