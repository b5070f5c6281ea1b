package egress

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

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

// content holds a request to a form whose parameters were declared. Addresses
// and headers are logged on the way: neither carries anything but what is
// registered.
func (p *Permit) content(r *http.Request) error {
	for name := range r.Header {
		if !slices.Contains(usual, name) && !slices.Contains(p.op.Headers, name) {
			return ErrEndpoint.With("header", name)
		}
	}
	if r.URL.RawQuery != "" || r.URL.User != nil {
		return ErrEndpoint
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
	form, err := url.ParseQuery(string(raw))
	if err != nil || len(raw) > maxSent || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		return ErrUnknown.With("op", p.op.Op)
	}
	names := make([]string, 0, len(form))
	for n := range form {
		names = append(names, n)
	}
	return p.Names(names...)
}
