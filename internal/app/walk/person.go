package walk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civilid"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// prompt reads what a person is to be shown before an act and returns the
// act's token.
func (w *walker) prompt(ctx context.Context, purpose string) (string, error) {
	var p struct {
		Notice string `json:"notice"`
		Token  string `json:"token"`
	}
	if err := w.call(ctx, http.MethodGet, "/consent-prompts/"+purpose, nil, &p); err != nil {
		return "", err
	}
	if p.Notice == "" || p.Token == "" {
		return "", fmt.Errorf("the prompt of %s has no notice or no token", purpose)
	}
	return p.Token, nil
}

// consent agrees to a purpose as somebody who is signed in.
func (w *walker) consent(ctx context.Context, purpose string) error {
	token, err := w.prompt(ctx, purpose)
	if err != nil {
		return err
	}
	err = w.call(ctx, http.MethodPost, "/consents", map[string]any{"token": token, "decision": "grant"}, nil)
	if w.done(err, "consent.token_invalid") {
		return w.consent(ctx, purpose) // agreeing twice is agreeing
	}
	return err
}

func (w *walker) register(ctx context.Context) error {
	w.user, w.password, w.mail = "walker-"+w.run, id.Random(15), "walker-"+w.run+"@demo.invalid"
	err := w.signUp(ctx)
	if !w.done(err, "consent.token_invalid", "account.name_taken") {
		return err
	}
	// What took the token, or the name, was our own request; the next step
	// would find out if not.
	return nil
}

func (w *walker) signUp(ctx context.Context) error {
	token, err := w.prompt(ctx, "platform_policy")
	if err != nil {
		return err
	}
	r := map[string]any{"user_name": w.user, "password": w.password, "email": w.mail, "consent_token": token, "adult": true}
	if w.Abroad {
		if r["crossborder_token"], err = w.prompt(ctx, "crossborder.platform"); err != nil {
			return err
		}
	}
	return w.call(ctx, http.MethodPost, "/accounts", r, nil)
}

// verifyMail takes the token out of the mail in the sink.
func (w *walker) verifyMail(ctx context.Context) error {
	var token string
	err := wait(ctx, 100*time.Millisecond, func() (bool, error) {
		sink, err := w.fetch(ctx, http.MethodGet, w.Mailbox+"/messages?to="+url.QueryEscape(w.mail), nil)
		if err != nil {
			return false, err
		}
		var mails []struct {
			Text string `json:"text"`
		}
		if err := json.Unmarshal([]byte(sink.text), &mails); err != nil || len(mails) == 0 {
			return false, err
		}
		token = between(mails[0].Text+"\n", "#token=", "\n")
		return true, nil
	})
	if err != nil {
		return err
	}
	if token == "" {
		return errors.New("the mail has no token")
	}
	err = w.call(ctx, http.MethodPost, "/email-verifications", map[string]string{"token": token}, nil)
	if w.done(err, "account.token_invalid") {
		return nil // signing in looks whether the address is confirmed
	}
	return err
}

func (w *walker) signIn(ctx context.Context) error {
	if err := w.call(ctx, http.MethodPost, "/login-sessions", map[string]string{"user_name": w.user, "password": w.password}, nil); err != nil {
		return err
	}
	var me struct {
		UserName string `json:"user_name"`
		Verified bool   `json:"email_verified"`
	}
	if err := w.call(ctx, http.MethodGet, "/me", nil, &me); err != nil {
		return err
	}
	if me.UserName != w.user || !me.Verified {
		return fmt.Errorf("signed in as %q, address confirmed: %v", me.UserName, me.Verified)
	}
	return nil
}

// realName submits an invented person: the number has the right form and a
// region that is issued to nobody.
func (w *walker) realName(ctx context.Context) error {
	// The sequence digits differ from run to run: one number may serve few accounts.
	number := civilid.Complete(fmt.Sprintf("11000019900101%03d", time.Now().UnixNano()/1000%1000))
	for {
		if err := w.submit(ctx, number); err != nil {
			return err
		}
		err := w.verified(ctx)
		if !errors.Is(err, errOutcome) {
			return err
		}
	}
}

// errOutcome says that the source was asked and nobody knows what it said: it
// cannot be asked again, so the person submits again.
var errOutcome = errors.New("the outcome of the check is unknown")

func (w *walker) submit(ctx context.Context, number string) error {
	token, err := w.prompt(ctx, "realname")
	if err != nil {
		return err
	}
	r := map[string]string{"name": "演示", "number": number, "consent_token": token}
	err = w.call(ctx, http.MethodPost, "/real-name-verifications", r, nil)
	if w.done(err, "realname.state", "consent.token_invalid") {
		return nil
	}
	return err
}

func (w *walker) verified(ctx context.Context) error {
	return wait(ctx, 100*time.Millisecond, func() (bool, error) {
		var all struct {
			Items []struct{ State, Reason string } `json:"items"`
		}
		if err := w.call(ctx, http.MethodGet, "/real-name-verifications", nil, &all); err != nil {
			return false, err
		}
		if len(all.Items) == 0 || all.Items[0].State == "verifying" {
			return false, nil
		}
		if all.Items[0].Reason == "realname.outcome_unknown" {
			return false, errOutcome
		}
		if all.Items[0].State != "verified" {
			return false, fmt.Errorf("the verification is %s: %s", all.Items[0].State, all.Items[0].Reason)
		}
		return true, nil
	})
}
