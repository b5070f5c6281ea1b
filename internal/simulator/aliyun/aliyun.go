// Package aliyun is an honest stand-in for two services of Alibaba Cloud, the
// two-element identity check and SMS, for the demo and for tests: it speaks the
// real wire protocol, verifies ACS3-HMAC-SHA256 signatures, dates and nonces,
// decrypts the SM2 fields, and holds SMS to their templates and limits.
//
// It is not a source of truth about anybody, and nothing leaves it. It accepts only numbers of a
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
// An SMS is written from its template, whose parameters must be all there, and
// can be read at /_control/sms; one number gets as many as the provider lets
// through (see sms.go).
//
// Faults are switched over HTTP, at /_control/faults (GET, PUT), for one action or
// all; /_control/calls lists the calls without their values.
package aliyun

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Config is the stand-in's side of an account.
type Config struct {
	AccessKeyID     string
	AccessKeySecret string
	PrivateKey      string // SM2 scalar in hex; empty: a new one
	Region          string // six digits that accepted identity numbers begin with; empty: 110000
	SignName        string // the approved signature of SMS
	Templates       map[string]Template
	Clock           clock.Clock
}

// Faults are what goes wrong with the next calls.
type Faults struct {
	Action     string `json:"action"`      // e.g. SendSms: of this one alone
	SlowMillis int64  `json:"slow_millis"` // waits before answering
	Status     int    `json:"status"`      // answers this HTTP status without a body
	HangUp     bool   `json:"hang_up"`     // closes the connection after the call was carried out and billed
	Throttle   bool   `json:"throttle"`    // answers Throttling.User
	Garbage    bool   `json:"garbage"`     // answers what is not JSON
	Code       string `json:"code"`        // answers this code
	Calls      int    `json:"calls"`       // for so many calls; 0 = until changed
}

// Call is one call as the stand-in saw it, without its values.
type Call struct {
	At      time.Time `json:"at"`
	Action  string    `json:"action"`
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
	texts  []Text
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
	s.mux.HandleFunc("GET /_control/sms", s.showTexts)
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
func (s *Server) take(action string) Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.faults
	if f.Action != "" && f.Action != action {
		return Faults{}
	}
	if f.Calls > 0 {
		if s.faults.Calls--; s.faults.Calls == 0 {
			s.faults = Faults{}
		}
	}
	return f
}

// verdict is what a call is answered with.
type verdict struct {
	status    int
	code, biz string
	message   string
	more      map[string]any // members of the answer besides
}

func refused(code string) verdict { return verdict{status: http.StatusBadRequest, code: code} }

func (s *Server) call(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if code := s.authenticate(r, body); code != "" {
		s.answer(w, refused(code))
		return
	}
	action := r.Header.Get("x-acs-action")
	f := s.take(action)
	if f.SlowMillis > 0 {
		select {
		case <-time.After(time.Duration(f.SlowMillis) * time.Millisecond):
		case <-r.Context().Done():
		}
	}
	var v verdict
	switch {
	case f.Throttle:
		v = refused("Throttling.User")
	case f.Code != "":
		v = verdict{status: http.StatusOK, code: f.Code}
	case f.Status != 0:
		v = verdict{status: f.Status}
	default:
		v = s.judge(r, body)
	}
	s.record(action, v)
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

// judge decides on an authentic call. Values in an address are not accepted here:
// addresses are logged on the way.
func (s *Server) judge(r *http.Request, body []byte) verdict {
	form, err := url.ParseQuery(string(body))
	if err != nil || r.URL.RawQuery != "" {
		return verdict{status: http.StatusOK, code: "401", message: "参数非法"}
	}
	switch r.Header.Get("x-acs-action") + " " + r.Header.Get("x-acs-version") {
	case "Id2MetaVerify 2019-03-07":
		return s.check(form)
	case "SendSms 2017-05-25":
		return s.send(form)
	case "QuerySendDetails 2017-05-25":
		return s.details(form)
	}
	return verdict{status: http.StatusNotFound, code: "InvalidAction.NotFound"}
}

func (s *Server) record(action string, v verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, Call{
		At: s.config.Clock.Now(), Action: action, Code: v.code, BizCode: v.biz, Billed: v.biz != "" || action == "SendSms" && v.code == "OK",
	})
}

func (s *Server) answer(w http.ResponseWriter, v verdict) {
	a := map[string]any{"RequestId": strings.ToUpper(id.Random(16)), "Code": v.code, "Message": v.message}
	if v.biz != "" {
		a["ResultObject"] = map[string]string{"BizCode": v.biz}
	}
	maps.Copy(a, v.more)
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(v.status)
	_ = json.NewEncoder(w).Encode(a)
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
