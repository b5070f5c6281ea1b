// Package wechatpay is an honest stand-in for WeChat Pay's APIv3: requests and
// answers that are signed, notices that are signed and encrypted, a platform key
// and platform certificates that change, bills. It shares no code with the adapter
// that it is a peer of; what it has in common with other simulated providers is
// package till.
//
// Which key signs is the fault Key: the platform's public key first, then the
// certificate, or both in grey steps.
//
// It is for demos and tests on loopback, never for money.
package wechatpay

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/simulator/till"
)

// Config is a simulator's account. All but Retries, Now and Log is needed.
type Config struct {
	AppID       string
	MchID       string
	SerialNo    string         // of the merchant's certificate
	Merchant    *rsa.PublicKey // of the merchant
	APIv3Key    string
	PublicKeyID string          // PUB_KEY_ID_…
	Key         *rsa.PrivateKey // of the platform, behind PublicKeyID
	Client      *http.Client    // delivers notices
	Retries     []time.Duration
	Now         func() time.Time
	Log         *slog.Logger
}

// Simulator is the provider. Close ends its deliveries.
type Simulator struct {
	*till.Till
	c Config

	mu     sync.Mutex
	cert   *rsa.PrivateKey
	serial string
	PEM    string // the platform certificate
	hidden bool
	bills  map[string][]byte
}

// New returns a running simulator.
func New(c Config) (*Simulator, error) {
	s := &Simulator{c: c, bills: map[string][]byte{}}
	if err := s.Rotate(); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v3/pay/transactions/native", s.signed(s.native))
	mux.HandleFunc("GET /v3/pay/transactions/out-trade-no/{no}", s.signed(s.query))
	mux.HandleFunc("POST /v3/pay/transactions/out-trade-no/{no}/close", s.signed(s.end))
	mux.HandleFunc("POST /v3/refund/domestic/refunds", s.signed(s.refund))
	mux.HandleFunc("GET /v3/refund/domestic/refunds/{no}", s.signed(s.refundQuery))
	mux.HandleFunc("GET /v3/certificates", s.signed(s.certificates))
	mux.HandleFunc("GET /v3/bill/tradebill", s.signed(s.bill))
	mux.HandleFunc("GET /v3/billdownload/file", s.signed(s.billFile))
	s.Till = till.New(till.Config{
		Title: "微信支付（模拟） WeChat Pay (simulated)", Protocol: s, Client: c.Client, Retries: c.Retries, Now: c.Now, Log: c.Log,
	}, mux)
	return s, nil
}

// Rotate makes a new platform certificate.
func (s *Simulator) Rotate() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	number, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 150))
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: number.SetBit(number, 155, 1), Subject: pkix.Name{CommonName: "Simulated Tenpay"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(5, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cert, s.serial = key, strings.ToUpper(hex.EncodeToString(number.Bytes()))
	s.PEM = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return nil
}

// Foreign hides the public key's id: what is signed names a key of nobody.
func (s *Simulator) Foreign(on bool) { s.mu.Lock(); defer s.mu.Unlock(); s.hidden = on }

// refusal is an answer that is no success. It is not signed.
type refusal struct {
	status int
	code   string
}

func (r refusal) Error() string { return r.code }

// signed holds a request to the merchant's signature, and signs the answer.
func (s *Simulator) signed(do func(r *http.Request, body []byte) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
		if err == nil {
			err = s.authorized(r, body)
		}
		var out any
		if err == nil {
			out, err = do(r, body)
		}
		s.Answered()
		var no refusal
		switch {
		case errors.As(err, &no):
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(no.status)
			_, _ = io.WriteString(w, `{"code":"`+no.code+`","message":"请求失败"}`)
		case err != nil:
			http.Error(w, "internal error", http.StatusInternalServerError)
		default:
			s.answer(w, out)
		}
	}
}

func (s *Simulator) answer(w http.ResponseWriter, out any) {
	if file, ok := out.([]byte); ok { // of bills the file is not signed
		_, _ = w.Write(file)
		return
	}
	f := s.Faults()
	var body []byte
	if out != nil {
		var err error
		if body, err = json.Marshal(out); err != nil {
			panic(err)
		}
	}
	if !f.Unsigned {
		s.sign(w.Header(), body, f, f.BadAnswer)
	}
	w.Header().Set("Content-Type", "application/json")
	if out == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	_, _ = w.Write(body)
}

// sign signs what is said with the key of the moment.
func (s *Simulator) sign(h http.Header, body []byte, f till.Faults, forged bool) {
	key, serial := s.c.Key, s.c.PublicKeyID
	second := s.Second()
	s.mu.Lock()
	if second {
		key, serial = s.cert, s.serial
	}
	if s.hidden {
		serial = "PUB_KEY_ID_0000000000000000000000000000"
	}
	s.mu.Unlock()
	at := s.Now()
	if f.Stale {
		at = at.Add(-10 * time.Minute)
	}
	nonce, now := s.random(16), strconv.FormatInt(at.Unix(), 10)
	text := now + "\n" + nonce + "\n" + string(body) + "\n"
	if forged {
		text = "forged"
	}
	sum := sha256.Sum256([]byte(text))
	raw, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	signature := base64.StdEncoding.EncodeToString(raw)
	if f.Probe {
		signature = "WECHATPAY/SIGNTEST/" + signature[len("WECHATPAY/SIGNTEST/"):]
	}
	h.Set("Wechatpay-Timestamp", now)
	h.Set("Wechatpay-Nonce", nonce)
	h.Set("Wechatpay-Serial", serial)
	h.Set("Wechatpay-Signature", signature)
	h.Set("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048")
}

func (s *Simulator) random(n int) string {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		panic(err)
	}
	return hex.EncodeToString(b)
}

var authorization = regexp.MustCompile(`^WECHATPAY2-SHA256-RSA2048 mchid="([^"]+)",nonce_str="([^"]+)",timestamp="(\d+)",serial_no="([0-9A-F]+)",signature="([^"]+)"$`)

func (s *Simulator) authorized(r *http.Request, body []byte) error {
	part := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	if part == nil || part[1] != s.c.MchID || part[4] != s.c.SerialNo {
		return refusal{401, "SIGN_ERROR"}
	}
	seconds, err := strconv.ParseInt(part[3], 10, 64)
	if age := s.Now().Unix() - seconds; err != nil || age > 300 || age < -300 {
		return refusal{401, "SIGN_ERROR"}
	}
	sum := sha256.Sum256([]byte(r.Method + "\n" + r.URL.RequestURI() + "\n" + part[3] + "\n" + part[2] + "\n" + string(body) + "\n"))
	raw, err := base64.StdEncoding.DecodeString(part[5])
	if err != nil || rsa.VerifyPKCS1v15(s.c.Merchant, crypto.SHA256, sum[:], raw) != nil {
		return refusal{401, "SIGN_ERROR"}
	}
	if r.Header.Get("Accept") == "" || r.Header.Get("User-Agent") == "" {
		return refusal{400, "PARAM_ERROR"}
	}
	return nil
}

// seal encrypts with the APIv3 key.
func (s *Simulator) seal(plain []byte, kind string, nonceLength int) map[string]string {
	block, err := aes.NewCipher([]byte(s.c.APIv3Key))
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCMWithNonceSize(block, nonceLength)
	if err != nil {
		panic(err)
	}
	nonce := s.random(nonceLength)[:nonceLength]
	return map[string]string{
		"original_type": kind, "algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": kind,
		"ciphertext": base64.StdEncoding.EncodeToString(aead.Seal(nil, []byte(nonce), plain, []byte(kind))),
	}
}

// Acked tells whether the merchant took a notice.
func (s *Simulator) Acked(status int, _ string) bool { return status == 200 || status == 204 }

// Notice makes the message about a trade or a refund. What it says about the
// payer must not stay with the merchant.
func (s *Simulator) Notice(t till.Trade, r *till.Refund, f till.Faults) (*http.Request, error) {
	event, kind, to := "TRANSACTION.SUCCESS", "transaction", t.NotifyURL
	said := s.transaction(t, f.Wrong(t.Fen))
	if f.ForeignMerchant {
		said["mchid"] = s.c.MchID + "9"
	}
	if r != nil {
		kind, to, said = "refund", r.NotifyURL, s.refunded(t, *r, "refund_status")
		event = "REFUND." + strings.ToUpper(r.State)
	}
	plain, err := json.Marshal(said)
	if err != nil {
		return nil, err
	}
	length := 12
	if f.WrongNonce {
		length = 16
	}
	body, err := json.Marshal(map[string]any{
		"id": "EV-" + t.TradeNo, "create_time": s.Now().In(beijing).Format(time.RFC3339), "resource_type": "encrypt-resource",
		"event_type": event, "summary": "支付成功", "resource": s.seal(plain, kind, length),
	})
	if err != nil {
		return nil, err
	}
	req, err := till.Post(to, "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	s.sign(req.Header, body, f, f.BadSignature)
	return req, nil
}

var beijing = time.FixedZone("CST", 8*3600)
