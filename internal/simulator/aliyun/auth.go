package aliyun

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"time"
)

// skew is how far a call's date may be from the clock.
const skew = 15 * time.Minute

// authenticate verifies signature, digest, date and nonce; it returns the
// provider's error code, empty if all is well.
func (s *Server) authenticate(r *http.Request, body []byte) string {
	auth, ok := strings.CutPrefix(r.Header.Get("Authorization"), "ACS3-HMAC-SHA256 ")
	if !ok {
		return "MissingAuthorization"
	}
	fields := map[string]string{}
	for _, part := range strings.Split(auth, ",") {
		name, value, _ := strings.Cut(part, "=")
		fields[name] = value
	}
	if fields["Credential"] != s.config.AccessKeyID {
		return "InvalidAccessKeyId.NotFound"
	}
	digest := sha256.Sum256(body)
	if r.Header.Get("x-acs-content-sha256") != hex.EncodeToString(digest[:]) {
		return "SignatureDoesNotMatch"
	}
	want := s.sign(r, strings.Split(fields["SignedHeaders"], ";"), fields["SignedHeaders"])
	if want == "" || !hmac.Equal([]byte(want), []byte(fields["Signature"])) {
		return "SignatureDoesNotMatch"
	}
	return s.fresh(r)
}

// sign computes the signature again, independently of the client's code. Empty
// when a header that must be signed is not.
func (s *Server) sign(r *http.Request, names []string, list string) string {
	signed := map[string]bool{}
	var lines strings.Builder
	for _, n := range names {
		signed[n] = true
		value := r.Header.Get(n)
		if n == "host" {
			value = r.Host
		}
		lines.WriteString(n + ":" + strings.TrimSpace(value) + "\n")
	}
	for _, n := range []string{"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"} {
		if !signed[n] {
			return ""
		}
	}
	text := r.Method + "\n" + r.URL.EscapedPath() + "\n" + strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20") + "\n" +
		lines.String() + "\n" + list + "\n" + r.Header.Get("x-acs-content-sha256")
	digest := sha256.Sum256([]byte(text))
	m := hmac.New(sha256.New, []byte(s.config.AccessKeySecret))
	_, _ = io.WriteString(m, "ACS3-HMAC-SHA256\n"+hex.EncodeToString(digest[:]))
	return hex.EncodeToString(m.Sum(nil))
}

func (s *Server) fresh(r *http.Request) string {
	now := s.config.Clock.Now()
	at, err := time.Parse("2006-01-02T15:04:05Z", r.Header.Get("x-acs-date"))
	if err != nil || at.Before(now.Add(-skew)) || at.After(now.Add(skew)) {
		return "InvalidTimeStamp.Expired"
	}
	nonce := r.Header.Get("x-acs-signature-nonce")
	s.mu.Lock()
	defer s.mu.Unlock()
	for n, seen := range s.nonces {
		if seen.Before(now.Add(-2 * skew)) {
			delete(s.nonces, n)
		}
	}
	if _, seen := s.nonces[nonce]; seen || len(nonce) < 16 {
		return "SignatureNonceUsed"
	}
	s.nonces[nonce] = now
	return ""
}
