// A PEM text: pasted, or read from a file that never leaves the form before it is sent.

import { Button, Form, Input, Upload } from 'antd';
import { FileTextOutlined } from '@ant-design/icons';
import { useTranslation } from 'react-i18next';

/** The most that the API takes of one text. */
const limit = 64 * 1024;

interface Props {
  name: string;
  label: string;
  extra?: string;
  /** What the first line has to say, such as CERTIFICATE. */
  head: string;
  required?: boolean;
}

export function PEMField({ name, label, extra, head, required }: Props) {
  const { t } = useTranslation();
  const form = Form.useFormInstance();
  const check = (_: unknown, text?: string) => {
    if (!text?.trim()) return required ? Promise.reject(new Error(t('field.required'))) : Promise.resolve();
    if (text.length > limit) return Promise.reject(new Error(t('certificate.too_large')));
    const found = new RegExp(`-----BEGIN [A-Z0-9 ]*${head}-----`).test(text);
    return found ? Promise.resolve() : Promise.reject(new Error(t('certificate.no_pem', { head })));
  };
  const take = async (file: File) => {
    form.setFieldValue(name, file.size > limit ? ' '.repeat(limit + 1) : await file.text());
    await form.validateFields([name]).catch(() => undefined);
  };
  return (
    <Form.Item label={label} extra={extra} htmlFor={name}>
      <Form.Item name={name} noStyle rules={[{ validator: check }]}>
        <Input.TextArea
          id={name}
          className="mono"
          rows={4}
          spellCheck={false}
          autoComplete="off"
          placeholder={`-----BEGIN ${head}-----`}
        />
      </Form.Item>
      <Upload
        accept=".pem,.crt,.cer,.key,.csr,.req,.txt"
        showUploadList={false}
        beforeUpload={(file) => {
          void take(file);
          return false;
        }}
      >
        <Button size="small" type="link" icon={<FileTextOutlined />} style={{ paddingInline: 0 }}>
          {t('certificate.from_file')}
        </Button>
      </Upload>
    </Form.Item>
  );
}
