package egress

import (
	"errors"
	"fmt"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/platform/field"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
)

// Fields classifies every name that a recipient may be sent, with the headers.
var Fields = field.Register{
	"UserName": field.Class(holding.IDName), "IdentifyNum": field.Class(holding.IDNumber), "ParamType": field.Code,
	"action": field.Code, "version": field.Code, "date": field.Time, "nonce": field.Key, "signature": field.Key,
	"X-Acs-Action": field.Code, "X-Acs-Version": field.Code, "X-Acs-Date": field.Time, "X-Acs-Signature-Nonce": field.Key,
	"X-Acs-Content-Sha256": field.Key, "Authorization": field.Key,

	"order_no": field.Class(holding.Order), "amount": field.Class(holding.Order),
	"pid": field.System, "type": field.Code, "subject": field.System, "notify_url": field.System, "return_url": field.System,
	"timestamp": field.Time, "sign": field.Key, "sign_type": field.Code, "act": field.Code, "key": field.Key, "refund_no": field.ID,

	"app_id": field.System, "mchid": field.System, "method": field.Code, "format": field.Code, "charset": field.Code, "product_code": field.Code,
	"time_expire": field.Time, "currency": field.Code, "app_cert_sn": field.System, "alipay_root_cert_sn": field.System, "quit_url": field.System,
	"bill_type": field.Code, "tar_type": field.Code, "bill_date": field.Time, "bill_file": field.Key, "Wechatpay-Serial": field.System, "limit": field.Number, "page": field.Number,

	"email":   field.Class(holding.Email),
	"message": field.Class(holding.Email), // a letter to that address: what it says follows from its purpose
	"from":    field.System, "message_id": field.ID,

	"phone":     field.Class(holding.Phone),
	"sms":       field.Class(holding.Phone), // an SMS to that number: what it says follows from its purpose
	"sign_name": field.System, "template_code": field.Code, "send_date": field.Time, "page_size": field.Number,

	"user": field.System, "password": field.Key, // of a mailbox of the operator
}

// classified names what an operation sends that nobody classified, and what is
// personal among that which the protocol alone needs.
func (op Op) classified() error {
	wrong := []error{Fields.Check(slices.Concat(op.Fields, op.Technical, op.Headers)...)}
	for _, name := range slices.Concat(op.Technical, op.Headers) {
		if c := Fields[name]; c != "" && !c.Plain() {
			wrong = append(wrong, fmt.Errorf("%q: %w", name, field.ErrPersonal))
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return fmt.Errorf("operation %s: %w", op.Op, err)
	}
	return nil
}
