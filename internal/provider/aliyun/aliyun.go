// Package aliyun speaks to Alibaba Cloud: it asks the two-element identity check
// (Id2MetaVerify, version 2019-03-07) whether a name belongs to a resident
// identity number, and sends SMS (Dysmsapi, version 2017-05-25; see Carrier). It
// fills realname.Checker and notify.Carrier.
//
// Name and number travel encrypted to the provider's SM2 public key
// (ParamType=sm2); the plain and the MD5 form cannot be expressed. It dials only
// through a permit of platform/egress, which has committed what is disclosed to
// whom before the first byte, and it never repeats a call: a paid call whose
// outcome is unknown is the caller's to settle.
//
//	Begin permit ─ encrypt ─ sign (ACS3) ─ POST ─┬─ 200, BizCode 1/2/3 ─▶ match, mismatch, no_record
//	                                             ├─ repeated, throttled ─▶ ErrProviderLimit
//	                                             ├─ bad parameter ───────▶ ErrRefused
//	                                             ├─ other answer ────────▶ ErrSource
//	                                             └─ no or no legible answer ▶ ErrOutcomeUnknown (ErrSource if nothing left)
//
// The provider's public pages do not say how an SM2 ciphertext is written; this
// package writes 04‖C1‖C3‖C2 (GB/T 32918.4) in lower-case hex. An operator
// compares that with the papers of their contract before going live.
package aliyun

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/emmansun/gmsm/sm2"

	"github.com/skybridge-cloud/skybridge/internal/control/realname"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Config is the operator's account with the provider.
type Config struct {
	AccessKeyID     string
	AccessKeySecret string
	PublicKey       string // the provider's SM2 key: 04‖X‖Y in hex
	Recipient       string // id in the registry of recipients; empty = "idv.aliyun"
	Egress          *egress.Egress
	Clock           clock.Clock
}

// Checker asks the provider. It is safe for concurrent use.
type Checker struct {
	key       key
	public    *ecdsa.PublicKey
	recipient string
	egress    *egress.Egress
	clock     clock.Clock
}

// New checks the configuration.
func New(c Config) (*Checker, error) {
	if c.AccessKeyID == "" || c.AccessKeySecret == "" {
		return nil, errors.New("aliyun: access key id and secret are needed")
	}
	raw, err := hex.DecodeString(c.PublicKey)
	if err != nil {
		return nil, errors.New("aliyun: the public key is not hex")
	}
	public, err := sm2.NewPublicKey(raw)
	if err != nil {
		return nil, fmt.Errorf("aliyun: the public key is not a point 04‖X‖Y: %w", err)
	}
	if c.Recipient == "" {
		c.Recipient = "idv.aliyun"
	}
	return &Checker{key: key{c.AccessKeyID, c.AccessKeySecret}, public: public, recipient: c.Recipient, egress: c.Egress, clock: c.Clock}, nil
}

const (
	action  = "Id2MetaVerify"
	version = "2019-03-07"
)

// Check fills realname.Checker.
func (c *Checker) Check(ctx context.Context, q realname.CheckRequest) (realname.Result, error) {
	form, err := c.form(q)
	if err != nil {
		return "", sourceError(err)
	}
	p, err := c.egress.Begin(ctx, egress.Call{
		Recipient: c.recipient, Op: action, Subject: q.Subject,
		Fields: []string{"UserName", "IdentifyNum", "ParamType"},
	})
	if errs.KindOf(err) == errs.Forbidden {
		return "", err // no consent, no agreement: nothing was sent
	}
	if err != nil {
		return "", sourceError(err)
	}
	a, err := c.post(ctx, p, form)
	if ferr := p.Finish(ctx, p.OutcomeOf(err)); ferr != nil {
		return "", errs.Wrap(errs.Unavailable, realname.ErrOutcomeUnknown.Code, errors.Join(err, ferr))
	}
	if err != nil {
		if p.OutcomeOf(err) == egress.Failed {
			return "", sourceError(err)
		}
		return "", errs.Wrap(errs.Unavailable, realname.ErrOutcomeUnknown.Code, err)
	}
	return a.result()
}

func sourceError(cause error) error {
	return errs.Wrap(errs.Unavailable, realname.ErrSource.Code, cause)
}

// form encrypts the values.
func (c *Checker) form(q realname.CheckRequest) (url.Values, error) {
	name, err := c.encrypt(q.Name)
	if err != nil {
		return nil, err
	}
	number, err := c.encrypt(q.Number)
	if err != nil {
		return nil, err
	}
	return url.Values{"ParamType": {"sm2"}, "UserName": {name}, "IdentifyNum": {number}}, nil
}

func (c *Checker) encrypt(value string) (string, error) {
	raw, err := sm2.Encrypt(rand.Reader, c.public, []byte(value), nil)
	if err != nil {
		return "", errors.New("encrypting to the provider's key")
	}
	return hex.EncodeToString(raw), nil
}

func (c *Checker) post(ctx context.Context, p *egress.Permit, form url.Values) (answer, error) {
	raw, err := c.key.post(ctx, p, action, version, form, c.clock.Now())
	if err != nil {
		return answer{}, err
	}
	return parse(raw)
}

// answer is what the provider says; only the fields that decide are read.
type answer struct {
	Code         string
	RequestID    string `json:"RequestId"`
	ResultObject struct{ BizCode string }
}

// parse refuses what is not an answer; its error holds nothing of the body.
func parse(raw []byte) (answer, error) {
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil || a.Code == "" {
		return answer{}, errors.New("the provider's answer is not legible")
	}
	return a, nil
}

// result classifies an answer.
func (a answer) result() (realname.Result, error) {
	switch a.Code {
	case "200":
		switch a.ResultObject.BizCode {
		case "1":
			return realname.Match, nil
		case "2":
			return realname.Mismatch, nil
		case "3":
			return realname.NoRecord, nil
		}
		return "", a.failed(realname.ErrSource)
	case "400", "401":
		return "", a.failed(realname.ErrRefused)
	case "403", "Forbidden.ExceptionRepeatedInvoke", "ServiceUnavailable":
		return "", a.failed(realname.ErrProviderLimit)
	}
	if strings.HasPrefix(a.Code, "Throttling") {
		return "", a.failed(realname.ErrProviderLimit)
	}
	return "", a.failed(realname.ErrSource)
}

// failed keeps the provider's code and request id for the log.
func (a answer) failed(as *errs.Error) error {
	return errs.Wrap(as.Kind, as.Code, fmt.Errorf("provider code %.60q, request %.60q", a.Code, a.RequestID))
}
