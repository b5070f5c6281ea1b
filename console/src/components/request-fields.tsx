// What somebody asks about data: the kind and the words, for the person and for the desk that takes it.

import { Form, Input, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import type { RightsKind } from '../api/types';

/** What may be asked in the form; misuse has a button of its own. */
export const kinds: RightsKind[] = [
  'copy',
  'port',
  'access',
  'correct',
  'supplement',
  'delete',
  'restrict',
  'explain',
  'withdraw',
  'cancel',
  'guardian',
  'deceased',
  'complaint',
  'question',
];

/** These say nothing without words. */
const needWords: RightsKind[] = ['correct', 'supplement', 'deceased', 'guardian', 'complaint', 'question'];

/** Items of a form whose values are kind and words. label names the kind as the form's reader would. */
export function RequestFields({
  label,
  hint,
  without = [],
}: {
  label: string;
  hint?: string;
  without?: RightsKind[];
}) {
  const { t } = useTranslation();
  const kind = Form.useWatch('kind') as RightsKind | undefined;
  return (
    <>
      <Form.Item
        name="kind"
        label={label}
        rules={[{ required: true, message: t('rights.what_needed') }]}
        extra={kind ? t(`rights.about_${kind}`) : undefined}
      >
        <Select
          options={kinds
            .filter((k) => !without.includes(k))
            .map((k) => ({ value: k, label: t(`rights.kind_${k}`) }))}
          placeholder={t('rights.choose')}
        />
      </Form.Item>
      <Form.Item
        name="words"
        label={t('rights.words')}
        rules={[
          { required: kind !== undefined && needWords.includes(kind), message: t('rights.words_needed') },
        ]}
        extra={hint}
      >
        <Input.TextArea rows={5} maxLength={4000} showCount />
      </Form.Item>
    </>
  );
}
