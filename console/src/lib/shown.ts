// The words for what the API names by tables, columns and codes: of what is held, sent and read.

import { useTranslation } from 'react-i18next';

/** A code such as a case's number, which stays as it is: `dsr_4kq2`. */
const number = /^[a-z]{2,8}_[a-z0-9]+$/;

export function useShown() {
  const { t, i18n } = useTranslation();
  const first = (keys: string[], otherwise: string) => {
    const key = keys.find((k) => i18n.exists(k));
    return key ? t(key) : otherwise;
  };
  const column = (table: string, name: string) => first([`data.${table}.${name}`, `data.${name}`], name);
  return {
    table: (name: string) => first([`held.${name}`], name),
    column,
    /** A field as the registers name it: `table.column`, or the name of something that was sent. */
    field: (name: string) => {
      const dot = name.indexOf('.');
      return dot < 0 ? column('', name) : column(name.slice(0, dot), name.slice(dot + 1));
    },
    fields(names: string[]) {
      return [...new Set(names.map((n) => this.field(n)))].join(t('common.list_comma'));
    },
    category: (name: string) => first([`category.${name}`], name),
    purpose: (name: string) => first([`purpose.${name}`], name),
    reader: (name: string) => first([`actor.${name}`], name),
    /** Why something was read: a code has words, a case its number, and staff may have written it out. */
    reason: (name: string) => {
      if (!name) return '–';
      return first([`read_reason.${name}`], number.test(name) ? t('read_reason.case', { id: name }) : name);
    },
  };
}
