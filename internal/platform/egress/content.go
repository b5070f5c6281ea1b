package egress

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// maxSent is the longest body of a request.
const maxSent = 64 << 10

// usual headers of every request.
var usual = []string{"Content-Type", "Content-Length", "Accept", "Accept-Encoding", "User-Agent"}

// Names refuses parameters that the call did not declare, with ErrUnknown: what
// the ledger says and what is sent are the same names. It serves what the
// person's browser submits; requests of Client are held to it anyway.
func (p *Permit) Names(names ...string) error {
	if mutant.Off("LT-3a") {
		return nil
	}
	for _, n := range names {
		registered, differs := p.op.Wire[n]
		if !differs {
			registered = n
		}
		if !slices.Contains(p.fields, registered) && !slices.Contains(p.op.Technical, registered) {
			return ErrUnknown.With("op", p.op.Op).With("field", n)
		}
	}
	return nil
}

// content holds a request to parameters that were declared. Addresses and headers
// are logged on the way: they carry only what is registered to stand there.
func (p *Permit) content(r *http.Request) error {
	for name := range r.Header {
		if !slices.Contains(usual, name) && !slices.Contains(p.op.Headers, name) {
			return ErrEndpoint.With("header", name)
		}
	}
	if err := p.query(r.URL); err != nil {
		return err
	}
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxSent+1))
	if err != nil {
		return fmt.Errorf("reading what is to be sent: %w", err)
	}
	_ = r.Body.Close()
	r.Body = io.NopCloser(bytes.NewReader(raw))
	names, err := p.said(raw, r.Header.Get("Content-Type"))
	if err != nil || len(raw) > maxSent {
		return ErrUnknown.With("op", p.op.Op)
	}
	return p.Names(names...)
}

// query holds the address to the parameters that may stand there, each once.
func (p *Permit) query(u *url.URL) error {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil || u.User != nil {
		return ErrEndpoint
	}
	for name, v := range values {
		if !slices.Contains(p.op.Query, name) || len(v) != 1 {
			return ErrEndpoint.With("parameter", name)
		}
		if err := p.Names(name); err != nil {
			return err
		}
	}
	return nil
}

// said returns the names of what a body says.
func (p *Permit) said(raw []byte, kind string) ([]string, error) {
	if p.op.JSON {
		if kind != "application/json" {
			return nil, errForm
		}
		return members("", raw)
	}
	form, err := url.ParseQuery(string(raw))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, errForm
	}
	var names []string
	for n, values := range form {
		if !slices.Contains(p.op.Inner, n) {
			names = append(names, n)
			continue
		}
		for _, v := range values {
			inner, err := members("", []byte(v))
			if err != nil {
				return nil, err
			}
			names = append(names, inner...)
		}
	}
	return names, nil
}

var errForm = errors.New("not the form that is registered")

// members names the leaves of a JSON object, "outer.inner". Lists are refused:
// no operation sends one.
func members(prefix string, raw []byte) ([]string, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil || object == nil {
		return nil, errForm
	}
	var names []string
	for n, v := range object {
		switch v[0] {
		case '[':
			return nil, errForm
		case '{':
			inner, err := members(prefix+n+".", v)
			if err != nil {
				return nil, err
			}
			names = append(names, inner...)
		default:
			names = append(names, prefix+n)
		}
	}
	return names, nil
}

// samePath tells whether the path of a request is the operation's. A number in it
// stands where the registry has its name, and was declared.
func (p *Permit) samePath(u *url.URL) bool {
	got, want := strings.Split(u.Path, "/"), strings.Split(p.path, "/")
	if !strings.Contains(p.path, "{") {
		return clean(u.Path) == clean(p.path)
	}
	if len(got) != len(want) || u.RawPath != "" {
		return false
	}
	for i, w := range want {
		name, isName := strings.CutPrefix(w, "{")
		switch {
		case isName && (!number.MatchString(got[i]) || p.Names(strings.TrimSuffix(name, "}")) != nil):
			return false
		case !isName && got[i] != w:
			return false
		}
	}
	return true
}

// number is what may stand in a path: our own numbers of payments and refunds.
var number = regexp.MustCompile(`^[0-9A-Za-z]{1,64}$`)
