// A create flow: one page in steps, with what it costs or makes standing at the right.

import { useState, type ReactNode } from 'react';
import { Button, Card, Form, Steps, type FormInstance } from 'antd';
import { useTranslation } from 'react-i18next';
import { useNarrow } from '../lib/media';

export interface WizardStep {
  key: string;
  title: string;
  content: ReactNode;
  /** The fields that must be right before the next step. */
  fields?: string[];
  ready?: boolean;
}

interface Props {
  form: FormInstance;
  steps: WizardStep[];
  initialValues?: object;
  summary?: ReactNode;
  /** Stands beside the button where the summary is below it. */
  brief?: ReactNode;
  submit: string;
  submitting: boolean;
  error?: ReactNode;
  onSubmit: () => void;
  onChange?: () => void;
}

export function WizardForm(p: Props) {
  const { t } = useTranslation();
  const narrow = useNarrow();
  const [at, setAt] = useState(0);
  const step = p.steps[at];
  const last = at === p.steps.length - 1;

  async function forward() {
    try {
      await p.form.validateFields(step?.fields);
    } catch {
      return; // the fields say what is wrong
    }
    if (last) p.onSubmit();
    else setAt(at + 1);
  }

  return (
    <Form
      form={p.form}
      layout="vertical"
      requiredMark={false}
      initialValues={p.initialValues}
      onValuesChange={p.onChange}
      // Return in a field comes here, with all fields checked; a step asks only for its own.
      onFinish={() => void forward()}
      onFinishFailed={() => void forward()}
      scrollToFirstError
    >
      <div className={p.summary ? 'withside' : undefined}>
        <Card>
          {p.steps.length > 1 ? (
            <Steps
              size="small"
              current={at}
              orientation="horizontal"
              responsive={false}
              titlePlacement={narrow ? 'vertical' : 'horizontal'}
              items={p.steps.map((s, i) => ({ title: s.title, disabled: i > at }))}
              onChange={(to) => setAt(Math.min(to, at))}
            />
          ) : null}
          <div className={p.steps.length > 1 ? 'steps-body' : undefined}>
            {/* All steps stay mounted, so that their values stay in the form. */}
            {p.steps.map((s, i) => (
              <div key={s.key} hidden={i !== at}>
                {s.content}
              </div>
            ))}
          </div>
          {p.error ? <div style={{ marginBottom: 16 }}>{p.error}</div> : null}
          <div className={narrow && p.brief ? 'spread actbar' : 'spread'}>
            {at > 0 ? <Button onClick={() => setAt(at - 1)}>{t('common.back')}</Button> : null}
            {narrow && p.brief ? p.brief : at > 0 ? null : <span />}
            <Button
              type="primary"
              size="large"
              htmlType="button"
              onClick={() => void forward()}
              loading={p.submitting}
              disabled={step?.ready === false}
            >
              {last ? p.submit : t('common.next')}
            </Button>
          </div>
        </Card>
        {p.summary ? <aside className="side">{p.summary}</aside> : null}
      </div>
    </Form>
  );
}
