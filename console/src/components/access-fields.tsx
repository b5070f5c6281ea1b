// What clients of an SSL server may reach, as an ordered list of rules, and where they may sign in from.

import { Button, Form, Input, Select } from 'antd';
import { ArrowDownOutlined, ArrowUpOutlined, DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { useTranslation } from 'react-i18next';
import type { ACLRule } from '../api/types';
import { validPrefix, validPorts } from '../lib/network';

const most = 200;
const blank: ACLRule = { action: 'allow', protocol: 'any', destination: '', ports: '', comment: '' };

/** A rule as one line. */
export function useRuleLine(): (rule: ACLRule) => string {
  const { t } = useTranslation();
  return (r) => {
    const words = [
      t(`acl.action_${r.action}`),
      t(`acl.protocol_${r.protocol}`),
      '→',
      r.destination || t('acl.anywhere'),
    ];
    if (r.ports) words.push(t('acl.ports_of', { ports: r.ports }));
    return words.join(' ') + (r.comment ? ` (${r.comment})` : '');
  };
}

/** The rules of a server in their order, for reading. */
export function RuleLines({ rules }: { rules: ACLRule[] }) {
  const line = useRuleLine();
  if (rules.length === 0) return <>–</>;
  return (
    <ol style={{ margin: 0, paddingLeft: 20 }}>
      {rules.map((r, i) => (
        // Rules have no other name than their place.
        // oxlint-disable-next-line react/no-array-index-key
        <li key={i}>{line(r)}</li>
      ))}
    </ol>
  );
}

export function AccessFields() {
  const { t } = useTranslation();
  return (
    <>
      <Form.Item label={t('server.acl_rules')} extra={t('server.acl_rules_extra')}>
        <Form.List name="acl_rules">
          {(fields, { add, remove, move }) => (
            <div className="stack">
              {fields.map((f, i) => (
                <Rule
                  key={f.key}
                  at={f.name}
                  number={i + 1}
                  up={i > 0 ? () => move(i, i - 1) : undefined}
                  down={i < fields.length - 1 ? () => move(i, i + 1) : undefined}
                  remove={() => remove(f.name)}
                />
              ))}
              <div>
                <Button icon={<PlusOutlined />} disabled={fields.length >= most} onClick={() => add(blank)}>
                  {t('acl.add')}
                </Button>
              </div>
            </div>
          )}
        </Form.List>
      </Form.Item>
      <Form.Item name="acl_default" label={t('server.acl_default')} extra={t('server.acl_default_extra')}>
        <Select
          style={{ width: 160 }}
          options={['allow', 'deny'].map((v) => ({ value: v, label: t(`acl.action_${v}`) }))}
        />
      </Form.Item>
    </>
  );
}

interface RuleProps {
  at: number; // in the list of the form
  number: number;
  up?: () => void;
  down?: () => void;
  remove: () => void;
}

function Rule({ at, number, up, down, remove }: RuleProps) {
  const { t } = useTranslation();
  const line = useRuleLine();
  const form = Form.useFormInstance();
  const rule = Form.useWatch<ACLRule | undefined>(['acl_rules', at], form) ?? blank;
  const ported = rule.protocol === 'tcp' || rule.protocol === 'udp';
  const check = (valid: (text: string) => boolean, message: string) => ({
    validator: (_: unknown, text?: string) =>
      !text || valid(text) ? Promise.resolve() : Promise.reject(new Error(message)),
  });
  const label = (name: string) => `${t('acl.rule', { number })}: ${name}`;
  const choice = (name: string, values: string[]) => (
    <Form.Item name={[at, name]} noStyle>
      <Select
        aria-label={label(t(`acl.${name}`))}
        style={{ width: 110 }}
        options={values.map((v) => ({ value: v, label: t(`acl.${name}_${v}`) }))}
        onChange={(v) => {
          if (v === 'any' || v === 'icmp') form.setFieldValue(['acl_rules', at, 'ports'], '');
        }}
      />
    </Form.Item>
  );
  return (
    <fieldset className="itemcard" style={{ margin: 0, minWidth: 0 }} aria-label={t('acl.rule', { number })}>
      <div className="spread">
        <span>
          {number}. {line(rule)}
        </span>
        <span className="row">
          <Button
            size="small"
            aria-label={label(t('acl.up'))}
            icon={<ArrowUpOutlined />}
            disabled={!up}
            onClick={up}
          />
          <Button
            size="small"
            aria-label={label(t('acl.down'))}
            icon={<ArrowDownOutlined />}
            disabled={!down}
            onClick={down}
          />
          <Button
            size="small"
            aria-label={label(t('acl.remove'))}
            icon={<DeleteOutlined />}
            onClick={remove}
          />
        </span>
      </div>
      <div className="row" style={{ marginTop: 8, alignItems: 'flex-start', flexWrap: 'wrap' }}>
        {choice('action', ['allow', 'deny'])}
        {choice('protocol', ['any', 'tcp', 'udp', 'icmp'])}
        <Form.Item
          name={[at, 'destination']}
          style={{ flex: '1 1 160px', marginBottom: 0 }}
          rules={[check(validPrefix, t('server.cidr_rule'))]}
        >
          <Input
            className="mono"
            aria-label={label(t('acl.destination'))}
            placeholder={t('acl.anywhere')}
            autoComplete="off"
          />
        </Form.Item>
        <Form.Item
          name={[at, 'ports']}
          style={{ flex: '1 1 140px', marginBottom: 0 }}
          rules={[check(validPorts, t('acl.ports_rule'))]}
        >
          <Input
            className="mono"
            aria-label={label(t('acl.ports'))}
            placeholder={ported ? t('acl.all_ports') : '–'}
            disabled={!ported}
            autoComplete="off"
          />
        </Form.Item>
        <Form.Item name={[at, 'comment']} style={{ flex: '1 1 160px', marginBottom: 0 }}>
          <Input
            aria-label={label(t('acl.comment'))}
            placeholder={t('acl.comment')}
            maxLength={100}
            autoComplete="off"
          />
        </Form.Item>
      </div>
    </fieldset>
  );
}
