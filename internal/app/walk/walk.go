// Package walk goes the whole path as a customer's program would: through the
// public API alone, with a stock openconnect, against a running demonstration.
// It is what `skybridge demo` runs and what tells, in a minute, whether an
// installation works.
//
// It imports no module: what it knows is the API's wire form.
package walk

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Options say where the demonstration is.
type Options struct {
	Console   string // https://127.0.0.1:8443
	CAFile    string // certificate of the console, PEM
	Mailbox   string // http://127.0.0.1:8603
	Namespace string // of the client's machine
	Region    string // to order in
	Host      string // of the LAN host, 10.77.0.2
	Subnet    string // of the VPC, 10.77.0.0/24
	Network   string // VPC to join
	Work      string // directory for the bundle and openconnect's log
	Digest    string // SHA-256 of the download
	Size      int64
	Mainland  bool // the region needs real-name verification
	Abroad    bool // the profile stores abroad and asks for the act of transfer
	Leave     bool // close the account at the end
	NoTunnel  bool // without openconnect

	// For tests that end processes on the way. Before and After are called
	// around each step; Redial dials again when a tunnel does not come up,
	// with the password and the certificate alone: a code is accepted once.
	Before, After func(ctx context.Context, step string) error
	Redial        bool
}

// walker is one customer on the way.
type walker struct {
	Options
	out  io.Writer
	http *http.Client
	run  string // makes names unique

	user, password, mail string
	order, gateway       string
	server               server
	client, name, secret string
	alone                bool   // the server asks for a password alone
	made                 int    // SSL clients so far
	code                 string // TOTP seed of the SSL client
	session              string
	erasure              string // number of the account's erasure
	lost                 bool   // the answer of the last call was lost, and it was repeated
}

// Run walks. Each step is printed with its time and ok, or with what went
// wrong; the first failure ends the walk and is returned.
func Run(ctx context.Context, o Options, out io.Writer) error {
	w := &walker{Options: o, out: out, run: id.Random(5)}
	if err := w.connect(); err != nil {
		return err
	}
	begin := time.Now()
	for _, s := range w.steps() {
		if err := w.step(ctx, s); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "%-58s %8s  ok\n", "the whole path", time.Since(begin).Round(10*time.Millisecond))
	return nil
}

type step struct {
	name string
	do   func(context.Context) error
}

func (w *walker) step(ctx context.Context, s step) error {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	err := w.around(ctx, s)
	verdict := "ok"
	if err != nil {
		verdict = "FAILED: " + err.Error()
	}
	fmt.Fprintf(w.out, "%-58s %8s  %s\n", s.name, time.Since(begin).Round(10*time.Millisecond), verdict)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

func (w *walker) around(ctx context.Context, s step) error {
	if w.Before != nil {
		if err := w.Before(ctx, s.name); err != nil {
			return err
		}
	}
	err := s.do(ctx)
	if err == nil && w.After != nil {
		err = w.After(ctx, s.name)
	}
	return err
}

func (w *walker) connect() error {
	pool := x509.NewCertPool()
	text, err := os.ReadFile(w.CAFile)
	if err != nil {
		return fmt.Errorf("reading the console's certificate (is skybridge serve --demo running?): %w", err)
	}
	pool.AppendCertsFromPEM(text)
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	w.http = &http.Client{
		Jar: jar, Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return nil
}

// problem is an error answer of the API.
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Title  string `json:"title"`
}

func (p *problem) Error() string { return fmt.Sprintf("%d %s (%s)", p.Status, p.Code, p.Title) }

// call sends a request to the API and decodes the answer into out, which may
// be nil. An error answer is a *problem. A lost answer is asked for again with
// the same key.
func (w *walker) call(ctx context.Context, method, path string, body, out any) error {
	var sent []byte
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return err
		}
	}
	var raw []byte
	key := id.New("idem")
	err := w.patiently(ctx, func() (err error) {
		raw, err = w.once(ctx, method, path, key, sent)
		return err
	})
	if err != nil || out == nil {
		return err
	}
	if b, ok := out.(*[]byte); ok {
		*b = raw
		return nil
	}
	return json.Unmarshal(raw, out)
}

// once sends a request to the API once.
func (w *walker) once(ctx context.Context, method, path, key string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, w.Console+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept-Language", "en")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if method == http.MethodPost {
		r.Header.Set("Idempotency-Key", key)
	}
	answer, err := w.http.Do(r)
	if err != nil {
		return nil, lostError{err}
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, 4<<20))
	if err != nil {
		return nil, lostError{err}
	}
	if answer.StatusCode >= 300 {
		p := &problem{Status: answer.StatusCode, Code: "?"}
		_ = json.Unmarshal(raw, p) // an answer that is no problem document keeps its status
		return nil, p
	}
	return raw, nil
}

// wait repeats ask until it says yes or ctx ends.
func wait(ctx context.Context, every time.Duration, ask func() (bool, error)) error {
	for {
		done, err := ask()
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("gave up waiting: %w", ctx.Err())
		case <-time.After(every):
		}
	}
}

// page is what a browser got.
type page struct {
	status   int
	location string
	text     string
}

// fetch reads a page of a simulator, as the person's browser would.
func (w *walker) fetch(ctx context.Context, method, address string, form url.Values) (page, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return page{}, err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := w.http.Do(r)
	if err != nil {
		return page{}, lostError{err}
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return page{answer.StatusCode, answer.Header.Get("Location"), string(text)}, err
}
