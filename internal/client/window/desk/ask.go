package desk

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/skybridge-cloud/skybridge/internal/client/keystore"
	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
	"github.com/skybridge-cloud/skybridge/internal/client/window"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

// Attend names who answers what is asked in the middle of an act.
func (d *Desk) Attend(answer window.Answerer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.person = answer
}

// ask asks one thing at a time, until it is answered or quiet is called.
func (d *Desk) ask(f window.Form) (window.Answers, error) {
	d.turn <- struct{}{}
	defer func() { <-d.turn }()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	d.mu.Lock()
	answer := d.person
	d.hush = cancel
	d.mu.Unlock()
	if answer == nil {
		return nil, window.ErrDeclined
	}
	return answer(ctx, f)
}

// quiet ends the question that is asked: what it was for has ended.
func (d *Desk) quiet() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.hush != nil {
		d.hush()
	}
}

func decided(said window.Answers, err error) (bool, error) {
	return err == nil && string(said[window.Decision]) == window.Yes, err
}

// permission asks for one at its use (TY-2.6).
func (d *Desk) permission(p policy.Permission) (bool, error) {
	shown := permissionOf(p, d.lang(), false)
	return decided(d.ask(window.Form{Permission: &shown}))
}

// signer has the person confirm a bundle that another key signed than the former
// ones of its server. What was compared is what is confirmed: another bundle would
// have another id.
func (d *Desk) signer(b bundle.Bundle) (profile.Confirm, error) {
	plan, err := d.home.Profiles.Plan(b)
	if err != nil || plan.Trusted() {
		return profile.Confirm{}, err
	}
	c := window.Confirmation{
		Title: d.say("window.signer_title"), About: d.say("window.signer_about"), Act: d.say("window.signer_take"),
		Facts: []window.Fact{
			{Name: d.say("field.name"), Value: user.Clean(b.Profile.Name)},
			{Name: d.say("field.server"), Value: user.Clean(b.Profile.Server)},
			{Name: d.say("window.signer_was"), Value: d.orNobody(plan.Known)},
			{Name: d.say("window.signer_now"), Value: d.orNobody(plan.Signer)},
		},
	}
	if plan.Signer == "" {
		c.About = d.say("window.unsigned_about")
	}
	yes, err := decided(d.ask(window.Form{Confirm: &c}))
	if err == nil && !yes {
		err = window.ErrDeclined
	}
	if err != nil {
		return profile.Confirm{}, err
	}
	return profile.Confirm{Signer: plan.Signer, Unsigned: plan.Signer == ""}, nil
}

func (d *Desk) orNobody(signer string) string {
	if signer == "" {
		return d.say("import.unsigned")
	}
	return signer
}

// Names of the fields of a passphrase.
const (
	phraseField = "passphrase"
	againField  = "again"
)

// passphrase asks for that of the sealed file of keys; anew for a new one, twice.
func (d *Desk) passphrase(anew bool) ([]byte, error) {
	f := window.Form{
		Title: d.say("window.sealed_title"), Message: d.say("window.passphrase"),
		Fields: []window.FormField{{Name: phraseField, Kind: window.Password, Label: d.say("window.phrase")}},
	}
	if anew {
		f.Message, f.Fields[0].Label = d.say("window.new_passphrase"), d.say("window.new_phrase")
		f.Fields = append(f.Fields, window.FormField{Name: againField, Kind: window.Password, Label: d.say("window.phrase_again")})
	}
	for {
		said, err := d.ask(f)
		if err != nil {
			return nil, keystore.ErrDismissed
		}
		first := said[phraseField]
		same := !anew || bytes.Equal(first, said[againField])
		clear(said[againField])
		switch {
		case same && len(first) > 0:
			return first, nil
		case !same:
			f.Error = d.say("ask.not_same")
		}
		clear(first)
	}
}

// sealed offers a file under a passphrase where the system has no key store.
func (d *Desk) sealed() error {
	yes, err := decided(d.ask(window.Form{Confirm: &window.Confirmation{
		Title: d.say("window.no_store_title"), About: d.say("window.no_store_about"), Act: d.say("window.no_store_seal"),
	}}))
	if err == nil && !yes {
		err = window.ErrDeclined
	}
	if err == nil {
		d.home.KeepIn(keystore.SealedFile)
	}
	return err
}

func permissionName(err error, lang i18n.Language) string {
	id := param(err, "permission")
	for _, p := range policy.Permissions() {
		if p.ID == id {
			return p.Name.In(string(lang))
		}
	}
	return id
}

// param is a parameter of an error's sentence.
func param(err error, name string) string {
	var own *errs.Error
	if !errors.As(err, &own) {
		return ""
	}
	return fmt.Sprint(own.Params[name])
}
