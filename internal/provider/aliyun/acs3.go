package aliyun

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

const algorithm = "ACS3-HMAC-SHA256"

// key is an access key of the cloud account.
type key struct{ id, secret string }

// call names an operation of the provider's RPC style.
type call struct{ action, version, nonce string }

// post makes one signed call over a permit and returns the answer's body,
// whatever its HTTP status: errors of the provider stand in the body's Code.
func (k key) post(ctx context.Context, p *egress.Permit, action, version string, form url.Values, at time.Time) ([]byte, error) {
	body := form.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL(), strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	k.sign(r, call{action, version, id.Random(16)}, []byte(body), at)
	resp, err := p.Client().Do(r)
	if err != nil {
		return nil, fmt.Errorf("asking the provider: %w", err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the provider's answer: %w", err)
	}
	return raw, nil
}

// sign puts the x-acs-* headers and the ACS3-HMAC-SHA256 authorization on a
// request whose body is given.
func (k key) sign(r *http.Request, c call, body []byte, at time.Time) {
	digest := sha256.Sum256(body)
	r.Header.Set("x-acs-action", c.action)
	r.Header.Set("x-acs-version", c.version)
	r.Header.Set("x-acs-date", at.UTC().Format("2006-01-02T15:04:05Z"))
	r.Header.Set("x-acs-signature-nonce", c.nonce)
	r.Header.Set("x-acs-content-sha256", hex.EncodeToString(digest[:]))
	text, signed := canonical(r)
	r.Header.Set("Authorization", algorithm+" Credential="+k.id+",SignedHeaders="+signed+",Signature="+k.signature(text))
}

func (k key) signature(canonical string) string {
	digest := sha256.Sum256([]byte(canonical))
	m := hmac.New(sha256.New, []byte(k.secret))
	m.Write([]byte(algorithm + "\n" + hex.EncodeToString(digest[:])))
	return hex.EncodeToString(m.Sum(nil))
}

// canonical returns the text to be hashed and the list of signed headers: host,
// every x-acs-*, and content-type if there is one.
func canonical(r *http.Request) (text, signed string) {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	values := map[string]string{"host": host}
	for name := range r.Header {
		low := strings.ToLower(name)
		if low == "content-type" || strings.HasPrefix(low, "x-acs-") {
			values[low] = strings.TrimSpace(r.Header.Get(name))
		}
	}
	names := make([]string, 0, len(values))
	for n := range values {
		names = append(names, n)
	}
	slices.Sort(names)
	var headers strings.Builder
	for _, n := range names {
		headers.WriteString(n + ":" + values[n] + "\n")
	}
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	signed = strings.Join(names, ";")
	return strings.Join([]string{r.Method, path, query(r.URL.Query()), headers.String(), signed, r.Header.Get("x-acs-content-sha256")}, "\n"), signed
}

// query encodes by RFC 3986, sorted by name.
func query(v url.Values) string {
	names := make([]string, 0, len(v))
	for n := range v {
		names = append(names, n)
	}
	slices.Sort(names)
	parts := make([]string, 0, len(v))
	for _, n := range names {
		parts = append(parts, escape(n)+"="+escape(v.Get(n)))
	}
	return strings.Join(parts, "&")
}

// escape leaves only A-Z a-z 0-9 - _ . ~ as they are.
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
