package client

import (
	"errors"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/softtoken"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// The published token of stoken's own tests, with its code at a moment (spec 20.3).
const (
	publishedToken = "258491750817210752367175001073261277346642631755724762324173166222072472716737543"
	publishedAt    = 1409757465
)

func TestTokens(t *testing.T) {
	t.Parallel()
	at := time.Unix(publishedAt, 0)
	for pin, want := range map[string]string{"": "65366536", "9999": "65365425"} {
		token, err := SoftToken(publishedToken, pin)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := token.Code(at); got != want || err != nil || token.Step != time.Minute {
			t.Errorf("with PIN %q: got %s, %v", pin, got, err)
		}
	}
	if _, err := SoftToken("25849", ""); !errors.Is(err, softtoken.ErrCTF) {
		t.Errorf("got %v, want %v", err, softtoken.ErrCTF)
	}
	if _, err := TOTP("not base32!").Code(at); err == nil {
		t.Error("a seed that is none: got a code")
	}
	if got, err := TOTP("gezd gnbv gy3t qojq gezd gnbv gy3t qojq").Code(time.Unix(59, 0)); got != "287082" || err != nil {
		t.Errorf("a seed as people write it: got %s, %v", got, err)
	}
}

// TestCodesAreFilledIn, into forms that come one after the other.
func TestCodesAreFilledIn(t *testing.T) {
	t.Parallel()
	withError := func(f openconnect.AuthRequest) openconnect.AuthRequest {
		f.Error = &openconnect.FormError{Text: "Wrong."}
		return f
	}
	next := form("main", input(openconnect.InputPassword, openconnect.FieldAnswer))
	next.Message = "Please enter the Next Tokencode"
	failed := form("main", passwordInput)
	failed.Message = "Login failed.\nPlease enter your password."
	hidden := openconnect.Input{Type: openconnect.InputHidden, Name: "h", Value: "v"}
	at := clock.NewFake(time.Unix(publishedAt, 0))
	for _, c := range []struct {
		name  string
		forms []openconnect.AuthRequest
		field string // of the last form
		want  string // "" = an error
	}{
		{"the name", []openconnect.AuthRequest{form("main", nameInput, passwordInput)}, "username", "ann"},
		{"the password", []openconnect.AuthRequest{form("main", nameInput, passwordInput)}, "password", "pass"},
		{"what is hidden goes back", []openconnect.AuthRequest{form("main", hidden)}, "h", "v"},
		{"a code beside the password", []openconnect.AuthRequest{form("main", passwordInput, secondInput)}, "secondary_password", "65366536"},
		{"a challenge", []openconnect.AuthRequest{form("main", passwordInput), form("challenge", passwordInput)}, "password", "65366536"},
		{"a challenge as text", []openconnect.AuthRequest{form("main", passwordInput), form("challenge", input(openconnect.InputText, "c"))}, "c", "65366536"},
		{"a second password", []openconnect.AuthRequest{form("main", passwordInput), form("main", passwordInput)}, "password", "65366536"},
		{"the next code", []openconnect.AuthRequest{form("main", passwordInput, secondInput), next}, "answer", "next"},
		{"a code that was wrong is not sent again", []openconnect.AuthRequest{form("main", passwordInput), form("challenge", secondInput), withError(form("challenge", secondInput))}, "", ""},
		{"a password that was wrong is not sent again", []openconnect.AuthRequest{form("main", passwordInput), withError(form("main", passwordInput))}, "", ""},
		{"a password that was wrong in ocserv's words", []openconnect.AuthRequest{form("main", passwordInput), failed}, "", ""},
	} {
		token, err := SoftToken(publishedToken, "")
		if err != nil {
			t.Fatal(err)
		}
		k := &Known{Name: "ann", Password: text("pass"), Token: func() *Token { return token }, Clock: at}
		if c.want == "next" {
			c.want, _ = token.Code(at.Now().Add(time.Minute))
		}
		var got openconnect.Answers
		for _, f := range c.forms {
			if got, err = k.Answer(f); err != nil {
				break
			}
		}
		switch {
		case c.want == "" && !errors.Is(err, ErrRefused):
			t.Errorf("%s: got %v, %v", c.name, got, err)
		case c.want != "" && string(got[c.field].Reveal()) != c.want:
			t.Errorf("%s: got %q, %v; want %q", c.name, got[c.field].Reveal(), err, c.want)
		}
	}
}

// A person is asked for what is not known, and for nothing else.
func TestOnlyWhatIsNotKnownIsAsked(t *testing.T) {
	t.Parallel()
	var asked []string
	k := &Known{Name: "ann", Ask: func(f openconnect.AuthRequest) (openconnect.Answers, error) {
		out := openconnect.Answers{}
		for _, in := range f.Inputs {
			asked = append(asked, in.Name)
			out[in.Name] = text("typed")
		}
		return out, nil
	}}
	group := openconnect.Input{Type: openconnect.InputSelect, Name: openconnect.FieldGroup, Value: "a", Options: []openconnect.Group{{Value: "a"}, {Value: "b"}}}
	got, err := k.Answer(form("main", nameInput, passwordInput, group))
	if err != nil || len(asked) != 2 || string(got["username"].Reveal()) != "ann" || string(got["password"].Reveal()) != "typed" {
		t.Errorf("asked for %q, %v", asked, err)
	}
	gone := errors.New("the person went away")
	k.Ask = func(openconnect.AuthRequest) (openconnect.Answers, error) { return nil, gone }
	if _, err := k.Answer(form("challenge", secondInput)); !errors.Is(err, gone) {
		t.Errorf("got %v, want %v", err, gone)
	}
}
