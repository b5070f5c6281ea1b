// Package aliyun is an honest stand-in for Alibaba Cloud's two-element identity
// check, for the demo and for tests: it speaks the real wire protocol, verifies
// ACS3-HMAC-SHA256 signatures, dates and nonces, and decrypts the SM2 fields.
//
// It is not a source of truth about anybody. It accepts only numbers of a
// region that is issued to nobody (110000 by default, a whole province), so
// that a real person's number typed into a demo is refused unread.
//
// The answer depends on the last character of the name:
//
//	…错  BizCode 2, the number is another's       (mismatch)
//	…无  BizCode 3, no record                     (no_record)
//	…限  403, repeated call                       (provider_limit)
//	…坏  402, the authority's source is broken    (source_error)
//	else BizCode 1                                (match)
//
// Faults are switched over HTTP, at /_control/faults (GET, PUT); /_control/calls
// lists the calls without their values.
package aliyun

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"github.com/skybridge-cloud/skybridge/internal/platform/civilid"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Config is the stand-in's side of an account.
type Config struct {
	AccessKeyID     string
	AccessKeySecret string
	PrivateKey      string // SM2 scalar in hex; empty: a new one
	Region          string // six digits that accepted numbers begin with; empty: 110000
	Clock           clock.Clock
}

// Faults are what goes wrong with the next calls.
type Faults struct {
	SlowMillis int64  `json:"slow_millis"` // waits before answering
	Status     int    `json:"status"`      // answers this HTTP status without a body
	HangUp     bool   `json:"hang_up"`     // closes the connection after the check was made and billed
	Throttle   bool   `json:"throttle"`    // answers Throttling.User
	Garbage    bool   `json:"garbage"`     // answers what is not JSON
	Code       string `json:"code"`        // answers this code
	Calls      int    `json:"calls"`       // for so many calls; 0 = until changed
}

// Call is one call as the stand-in saw it, without its values.
type Call struct {
	At      time.Time `json:"at"`
	Code    string    `json:"code"`
	BizCode string    `json:"biz_code"`
	Billed  bool      `json:"billed"`
}

// Server is the stand-in. It is safe for concurrent use.
type Server struct {
	config Config
	key    *sm2.PrivateKey
	mux    *http.ServeMux

	mu     sync.Mutex
	faults Faults
	nonces map[string]time.Time
	calls  []Call
}

// New makes a stand-in.
func New(c Config) (*Server, error) {
	if c.Region == "" {
		c.Region = "110000"
	}
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	s := &Server{config: c, mux: http.NewServeMux(), nonces: map[string]time.Time{}}
	var err error
	if s.key, err = privateKey(c.PrivateKey); err != nil {
		return nil, err
	}
	s.mux.HandleFunc("/", s.call)
	s.mux.HandleFunc("GET /_control/faults", s.showFaults)
	s.mux.HandleFunc("PUT /_control/faults", s.setFaults)
	s.mux.HandleFunc("GET /_control/calls", s.showCalls)
	return s, nil
}

func privateKey(scalar string) (*sm2.PrivateKey, error) {
	if scalar == "" {
		return sm2.GenerateKey(rand.Reader)
	}
	raw, err := hex.DecodeString(scalar)
	if err != nil {
		return nil, errors.New("the private key is not hex")
	}
	return sm2.NewPrivateKey(raw)
}

// PublicKey returns the key that callers encrypt to: 04‖X‖Y in hex.
func (s *Server) PublicKey() string {
	point := append([]byte{4}, s.key.X.FillBytes(make([]byte, 32))...)
	return hex.EncodeToString(append(point, s.key.Y.FillBytes(make([]byte, 32))...))
}

// ServeHTTP answers calls and the control paths.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// SetFaults changes what goes wrong.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// Calls returns the calls seen, oldest first.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call{}, s.calls...)
}

// take returns the faults of one call.
func (s *Server) take() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.faults
	if f.Calls > 0 {
		if s.faults.Calls--; s.faults.Calls == 0 {
			s.faults = Faults{}
		}
	}
	return f
}

// verdict is what a call is answered with.
type verdict struct {
	status        int
	code, biz     string
	message       string
	authenticated bool
}

func (s *Server) call(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	v := s.judge(r, body)
	if !v.authenticated {
		s.answer(w, v)
		return
	}
	f := s.take()
	if f.SlowMillis > 0 {
		select {
		case <-time.After(time.Duration(f.SlowMillis) * time.Millisecond):
		case <-r.Context().Done():
		}
	}
	switch {
	case f.Throttle:
		v = verdict{status: http.StatusBadRequest, code: "Throttling.User"}
	case f.Code != "":
		v = verdict{status: http.StatusOK, code: f.Code}
	case f.Status != 0:
		v = verdict{status: f.Status, code: ""}
	}
	s.record(v)
	switch {
	case f.HangUp:
		panic(http.ErrAbortHandler)
	case f.Garbage:
		_, _ = io.WriteString(w, "<html>bad gateway</html>")
	case f.Status != 0:
		w.WriteHeader(f.Status)
	default:
		s.answer(w, v)
	}
}

func (s *Server) record(v verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, Call{At: s.config.Clock.Now(), Code: v.code, BizCode: v.biz, Billed: v.biz != ""})
}

func (s *Server) answer(w http.ResponseWriter, v verdict) {
	a := map[string]any{"RequestId": strings.ToUpper(id.Random(16)), "Code": v.code, "Message": v.message}
	if v.biz != "" {
		a["ResultObject"] = map[string]string{"BizCode": v.biz}
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(v.status)
	_ = json.NewEncoder(w).Encode(a)
}

// judge authenticates a call and decides on it.
func (s *Server) judge(r *http.Request, body []byte) verdict {
	if code := s.authenticate(r, body); code != "" {
		return verdict{status: http.StatusBadRequest, code: code}
	}
	v := verdict{status: http.StatusOK, code: "401", message: "参数非法", authenticated: true}
	if r.Header.Get("x-acs-action") != "Id2MetaVerify" || r.Header.Get("x-acs-version") != "2019-03-07" {
		v.status, v.code, v.message = http.StatusNotFound, "InvalidAction.NotFound", ""
		return v
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || r.URL.RawQuery != "" || len(form) != 3 || form.Get("ParamType") != "sm2" {
		return v // values in a URL, and other modes, are not accepted here
	}
	name, err1 := s.decrypt(form.Get("UserName"))
	number, err2 := s.decrypt(form.Get("IdentifyNum"))
	if err1 != nil || err2 != nil || name == "" || !civilid.CheckDigit(number) || !strings.HasPrefix(number, s.config.Region) {
		return v
	}
	v.code, v.biz, v.message = decide(name)
	return v
}

func decide(name string) (code, biz, message string) {
	switch {
	case strings.HasSuffix(name, "错"):
		return "200", "2", "success"
	case strings.HasSuffix(name, "无"):
		return "200", "3", "success"
	case strings.HasSuffix(name, "限"):
		return "403", "", "异常重复调用"
	case strings.HasSuffix(name, "坏"):
		return "402", "", "权威源服务异常"
	}
	return "200", "1", "success"
}

func (s *Server) decrypt(field string) (string, error) {
	raw, err := hex.DecodeString(field)
	if err != nil {
		return "", err
	}
	plain, err := s.key.Decrypt(nil, raw, nil)
	return string(plain), err
}

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

func (s *Server) showFaults(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	writeJSON(w, s.faults)
}

func (s *Server) setFaults(w http.ResponseWriter, r *http.Request) {
	var f Faults
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		http.Error(w, "unknown fault", http.StatusBadRequest)
		return
	}
	s.SetFaults(f)
	writeJSON(w, f)
}

func (s *Server) showCalls(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Calls()) }

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
