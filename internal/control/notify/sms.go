package notify

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/skybridge-cloud/skybridge/internal/control/contact"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// SMS is a short message as it goes to a Carrier, which knows its text.
type SMS struct {
	Reference string // the message's id
	Subject   id.Handle
	Purpose   string // phone.verify, phone.security or phone.expiry
	To        string // E.164
	Template  string // of SMSTemplates
	Params    map[string]string
}

// Carrier sends SMS. nil says that it was taken; ErrSMSRefused is final; after
// ErrSMSLater it was not taken and may be sent again; any other error may be either.
type Carrier interface {
	SendSMS(ctx context.Context, m SMS) error
	// SentSMS tells whether a message with this Reference was taken since then.
	SentSMS(ctx context.Context, m SMS, since time.Time) (bool, error)
}

// Errors of a Carrier.
var (
	ErrSMSLater   = errs.New(errs.Unavailable, "notify.sms_unavailable")
	ErrSMSRefused = errs.New(errs.Unprocessable, "notify.sms_refused")
	ErrSMSUnknown = errs.New(errs.Unavailable, "notify.sms_unknown") // whether it was taken is not known
)

//go:embed sms.yaml
var smsFile []byte

// smsText is what an SMS says.
type smsText struct {
	ID      string `yaml:"id"`
	Purpose string `yaml:"purpose"`
	Chinese string `yaml:"zh-CN"`
	English string `yaml:"en"`
}

var smsTexts = sync.OnceValue(func() []smsText {
	var all []smsText
	dec := yaml.NewDecoder(bytes.NewReader(smsFile))
	dec.KnownFields(true)
	if err := dec.Decode(&all); err != nil {
		panic(err) // the file is part of the program; a test reads it
	}
	return all
})

// SMSTemplates lists the ids of the texts.
func SMSTemplates() []string {
	var ids []string
	for _, t := range smsTexts() {
		ids = append(ids, t.ID)
	}
	return ids
}

// SMSText is a text with its parameters as ${name}: in Chinese for numbers of
// mainland China, in English for others. Empty: there is none.
func SMSText(template string, mainland bool) string {
	t := textOf(template)
	if mainland {
		return t.Chinese
	}
	return t.English
}

func textOf(template string) smsText {
	all := smsTexts()
	if i := slices.IndexFunc(all, func(t smsText) bool { return t.ID == template }); i >= 0 {
		return all[i]
	}
	return smsText{}
}

var smsParam = regexp.MustCompile(`\$\{([a-z]+)\}`)

// params lists what a text has places for.
func (t smsText) params() []string {
	var names []string
	for _, m := range smsParam.FindAllStringSubmatch(t.Chinese+t.English, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	return names
}

// Parameters that a text may have besides those of its event.
const (
	smsCode  = "code"  // made when the SMS is made
	smsEvent = "event" // the title of the notice
)

// waits tells whether the SMS of an event waits for the end of a person's quiet
// time. Those of security do not.
func (k kind) waits() bool { return k.SMS == "expiry" }

// checkSMS holds an event to the SMS that the policy says (LT-1.2b).
func (k kind) checkSMS() error {
	if k.SMS == "" {
		return nil
	}
	t := textOf(k.SMS)
	if !slices.Contains(contact.Uses(contact.Phone), t.Purpose) && !mutant.Off("LT-1.2b") {
		return fmt.Errorf("%s is sent by SMS as %q, which the policy does not say", k.Event, k.SMS)
	}
	for _, name := range t.params() {
		if name != smsCode && name != smsEvent && !slices.Contains(k.params(), name) {
			return fmt.Errorf("%s has no parameter %s for its SMS", k.Event, name)
		}
	}
	return nil
}
