package aliyun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/contact"
	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// SMSConfig is the operator's account with the short message service.
type SMSConfig struct {
	AccessKeyID     string
	AccessKeySecret string
	SignName        string            // the approved signature, without its brackets
	Mainland        map[string]string // template codes for numbers of mainland China, by notify's templates
	Abroad          map[string]string // likewise for all other numbers, with text in English; empty: none are reached
	Recipient       string            // id in the registry of recipients; empty = "sms.aliyun"
	Egress          *egress.Egress
	Clock           clock.Clock
}

// Carrier sends SMS. It is safe for concurrent use.
//
//	Begin permit ─ sign (ACS3) ─ POST SendSms ─┬─ OK ──────────────────────────▶ nil
//	                                           ├─ the number, text or its limit ▶ notify.ErrSMSRefused
//	                                           ├─ throttled, account, signature ▶ notify.ErrSMSLater
//	                                           └─ no or no legible answer ──────▶ notify.ErrSMSUnknown (ErrSMSLater if nothing left)
//
// SendSms is not idempotent: after an unknown outcome the caller asks SentSMS,
// which reads the receipts (QuerySendDetails), before it sends again.
type Carrier struct {
	key       key
	c         SMSConfig
	recipient string
}

// NewCarrier checks the configuration.
func NewCarrier(c SMSConfig) (*Carrier, error) {
	if c.AccessKeyID == "" || c.AccessKeySecret == "" || c.SignName == "" {
		return nil, errors.New("aliyun: access key id and secret and the name of a signature are needed for SMS")
	}
	for area, codes := range map[string]map[string]string{"mainland": c.Mainland, "abroad": c.Abroad} {
		for _, t := range notify.SMSTemplates() {
			if codes[t] == "" && (area == "mainland" || len(codes) > 0) {
				return nil, fmt.Errorf("aliyun: SMS %s: the code of the template %s is needed", area, t)
			}
		}
	}
	if c.Recipient == "" {
		c.Recipient = "sms.aliyun"
	}
	return &Carrier{key: key{c.AccessKeyID, c.AccessKeySecret}, c: c, recipient: c.Recipient}, nil
}

const (
	smsVersion = "2017-05-25"
	smsSend    = "SendSms"
	smsDetails = "QuerySendDetails"
	china      = "+86"
)

// Reaches tells whether a number, as E.164, can be sent to.
func (c *Carrier) Reaches(number string) bool {
	return contact.Mainland(number) || len(c.c.Abroad) > 0
}

// wireNumber is a number as the provider writes it: eleven digits in mainland
// China, elsewhere the country's code and the number.
func wireNumber(number string) string {
	if national, ok := strings.CutPrefix(number, china); ok {
		return national
	}
	return strings.TrimPrefix(number, "+")
}

// SendSMS fills notify.Carrier.
func (c *Carrier) SendSMS(ctx context.Context, m notify.SMS) error {
	codes := c.c.Mainland
	if !contact.Mainland(m.To) {
		codes = c.c.Abroad
	}
	if codes[m.Template] == "" {
		return fmt.Errorf("%w: no template for %s", notify.ErrSMSRefused, m.Template)
	}
	params, err := json.Marshal(m.Params)
	if err != nil {
		return fmt.Errorf("encoding the parameters of an SMS: %w", err)
	}
	form := url.Values{
		"PhoneNumbers": {wireNumber(m.To)}, "SignName": {c.c.SignName}, "TemplateCode": {codes[m.Template]},
		"TemplateParam": {string(params)}, "OutId": {m.Reference},
	}
	a, err := c.call(ctx, m, smsSend, []string{"phone", "sms"}, form)
	if err != nil {
		return err
	}
	return a.sent()
}

// SentSMS fills notify.Carrier. It reads the receipts of the days from since on.
func (c *Carrier) SentSMS(ctx context.Context, m notify.SMS, since time.Time) (bool, error) {
	today := civil.DayOf(c.c.Clock.Now())
	for day := civil.DayOf(since); !today.Before(day); day = day.AddDays(1) {
		found, err := c.receipt(ctx, m, day)
		if err != nil || found {
			return found, err
		}
	}
	return false, nil
}

const receiptsPerPage = 50 // the most that the provider gives

// receipt looks for a message among a day's receipts of its number.
func (c *Carrier) receipt(ctx context.Context, m notify.SMS, day civil.Day) (bool, error) {
	for page := 1; ; page++ {
		a, err := c.call(ctx, m, smsDetails, []string{"phone"}, url.Values{
			"PhoneNumber": {wireNumber(m.To)}, "SendDate": {strings.ReplaceAll(day.String(), "-", "")},
			"PageSize": {strconv.Itoa(receiptsPerPage)}, "CurrentPage": {strconv.Itoa(page)},
		})
		if err != nil {
			return false, err
		}
		if a.Code != "OK" {
			return false, a.failed(notify.ErrSMSLater)
		}
		all := a.Details.All
		if slices.ContainsFunc(all, func(d detail) bool { return d.OutID == m.Reference }) {
			return true, nil
		}
		if len(all) < receiptsPerPage {
			return false, nil
		}
	}
}

func (c *Carrier) call(ctx context.Context, m notify.SMS, op string, fields []string, form url.Values) (smsAnswer, error) {
	p, err := c.c.Egress.Begin(ctx, egress.Call{Recipient: c.recipient, Op: op, Subject: m.Subject, Purpose: m.Purpose, Fields: fields})
	if errs.KindOf(err) == errs.Forbidden {
		return smsAnswer{}, err // no consent, no agreement: nothing was sent
	}
	if err != nil {
		return smsAnswer{}, errs.Wrap(notify.ErrSMSLater.Kind, notify.ErrSMSLater.Code, err)
	}
	a, err := c.ask(ctx, p, op, form)
	outcome := p.OutcomeOf(err)
	if ferr := p.Finish(ctx, outcome); ferr != nil {
		return a, errs.Wrap(notify.ErrSMSUnknown.Kind, notify.ErrSMSUnknown.Code, errors.Join(err, ferr))
	}
	switch {
	case err == nil:
		return a, nil
	case outcome == egress.Failed:
		return a, errs.Wrap(notify.ErrSMSLater.Kind, notify.ErrSMSLater.Code, err)
	}
	return a, errs.Wrap(notify.ErrSMSUnknown.Kind, notify.ErrSMSUnknown.Code, err)
}

func (c *Carrier) ask(ctx context.Context, p *egress.Permit, op string, form url.Values) (a smsAnswer, err error) {
	raw, err := c.key.post(ctx, p, op, smsVersion, form, c.c.Clock.Now())
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(raw, &a); err != nil || a.Code == "" {
		return smsAnswer{}, errors.New("the provider's answer is not legible") // the cause may hold the number
	}
	return a, nil
}

// smsAnswer is what the provider says of an SMS, or of those sent to a number.
type smsAnswer struct {
	Code      string
	RequestID string `json:"RequestId"`
	Details   struct {
		All []detail `json:"SmsSendDetailDTO"`
	} `json:"SmsSendDetailDTOs"`
}

type detail struct {
	OutID string `json:"OutId"`
}

// refusals are codes after which the same SMS is never accepted, or not on this
// day: of number, text, template and limits. All others are of the account or the
// moment.
var refusals = []string{
	"isv.BUSINESS_LIMIT_CONTROL", "isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL", "isv.BLACK_KEY_CONTROL_LIMIT",
	"isv.MOBILE_NUMBER_ILLEGAL", "isv.MOBILE_COUNT_OVER_LIMIT", "isv.DOMESTIC_NUMBER_NOT_SUPPORTED",
	"isv.TEMPLATE_MISSING_PARAMETERS", "isv.TEMPLATE_PARAMS_ILLEGAL", "isv.INVALID_JSON_PARAM", "isv.INVALID_PARAMETERS",
	"isv.PARAM_LENGTH_LIMIT", "isv.PARAM_NOT_SUPPORT_URL", "isv.SMS_CONTENT_ILLEGAL", "isv.SMS_TEMPLATE_ILLEGAL",
	"isv.SMS_SIGNATURE_ILLEGAL", "isv.SMS_SIGN_ILLEGAL", "isv.SMS_SIGNATURE_SCENE_ILLEGAL",
}

// sent classifies the answer to SendSms.
func (a smsAnswer) sent() error {
	switch {
	case a.Code == "OK":
		return nil
	case slices.Contains(refusals, a.Code):
		return a.failed(notify.ErrSMSRefused)
	}
	return a.failed(notify.ErrSMSLater)
}

// failed keeps the provider's code and request id for the log.
func (a smsAnswer) failed(as *errs.Error) error {
	return errs.Wrap(as.Kind, as.Code, fmt.Errorf("provider code %.60q, request %.60q", a.Code, a.RequestID))
}
