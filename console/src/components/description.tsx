import { Form, Input, Typography } from 'antd';
import { useTranslation } from 'react-i18next';
import { ProblemAlert } from './problem';

const longest = 128;

/** What an owner says of a thing, in a form. */
export function DescriptionField() {
  const { t } = useTranslation();
  return (
    <Form.Item
      name="description"
      label={t('common.description')}
      rules={[{ pattern: /^(?!https?:)/i, message: t('common.description_rule') }]}
    >
      <Input maxLength={longest} autoComplete="off" />
    </Form.Item>
  );
}

interface Change {
  mutate: (text: string) => void;
  error: unknown;
}

/** The same where it is shown, to be changed in place. */
export function DescriptionText({ text, change }: { text: string; change: Change }) {
  const { t } = useTranslation();
  return (
    <>
      <Typography.Text
        editable={{
          text,
          maxLength: longest,
          tooltip: t('common.description_edit'),
          onChange: (next) => {
            if (next.trim() !== text) change.mutate(next.trim());
          },
        }}
      >
        {text || '–'}
      </Typography.Text>
      <ProblemAlert error={change.error} />
    </>
  );
}
