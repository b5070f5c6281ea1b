// Package alipay is an honest stand-in for Alipay's open platform: RSA2 signatures
// by a key or by certificates that it makes, pages, codes, questions, refunds and
// bills at /gateway.do, notices that are repeated until "success". It shares no
// code with the adapter that it is a peer of; what it has in common with other
// simulated providers is package till.
//
// It is for demos and tests on loopback, never for money.
package alipay

import (
	"crypto"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/simulator/till"
)

// Config is a simulator's account. AppID, SellerID, Merchant, Key and Client are
// needed.
type Config struct {
	AppID        string
	SellerID     string
	Merchant     *rsa.PublicKey  // of the application
	Key          *rsa.PrivateKey // Alipay's
	Certificates bool            // certificate mode
	BaseURL      string          // where it is reached, for codes and bills; empty: codes are addresses of Alipay's
	Client       *http.Client    // delivers notices
	Retries      []time.Duration
	Now          func() time.Time
	Log          *slog.Logger
}

// Simulator is the platform. Close ends its deliveries.
type Simulator struct {
	*till.Till
	c      Config
	second *rsa.PrivateKey // of a certificate that comes later, and of forgeries

	Root, App string // PEM of certificate mode
	First     string // Alipay's certificate
	SecondPEM string // the one that comes after it
	appSN     string
	rootSN    string
	firstSN   string
	secondSN  string
}

// New returns a running simulator.
func New(c Config) (*Simulator, error) {
	s := &Simulator{c: c}
	var err error
	if s.second, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return nil, err
	}
	if c.Certificates {
		if err := s.issue(); err != nil {
			return nil, err
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/gateway.do", s.gateway)
	mux.HandleFunc("GET /downloadBillFile.resource", s.billFile)
	s.Till = till.New(till.Config{
		Title: "支付宝（模拟） Alipay (simulated)", Protocol: s, Client: c.Client, Retries: c.Retries, Now: c.Now, Log: c.Log,
	}, mux)
	return s, nil
}

// Sign signs the parameters with Alipay's key, as notices are.
func (s *Simulator) Sign(params map[string]string) string {
	return sign(s.c.Key, text(params, "sign", "sign_type", "alipay_cert_sn"))
}

func (s *Simulator) now() string { return s.Now().In(beijing).Format(time.DateTime) }

var beijing = time.FixedZone("CST", 8*3600)

func text(params map[string]string, without ...string) string {
	var names []string
	for name, v := range params {
		skip := v == ""
		for _, w := range without {
			skip = skip || name == w
		}
		if !skip {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for i, n := range names {
		names[i] = n + "=" + params[n]
	}
	return strings.Join(names, "&")
}

func sign(key *rsa.PrivateKey, text string) string {
	sum := sha256.Sum256([]byte(text))
	raw, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// requested reads a call and holds it to the application's signature.
func (s *Simulator) requested(r *http.Request) (params, content map[string]string, why string) {
	params, content = map[string]string{}, map[string]string{}
	if err := r.ParseForm(); err != nil {
		return nil, nil, "isv.invalid-parameter"
	}
	for n, v := range r.Form {
		params[n] = v[0]
	}
	if params["app_id"] != s.c.AppID {
		return nil, nil, "isv.invalid-app-id"
	}
	if s.c.Certificates && (params["app_cert_sn"] != s.appSN || params["alipay_root_cert_sn"] != s.rootSN) {
		return nil, nil, "isv.app-cert-sn-not-match"
	}
	raw, err := base64.StdEncoding.DecodeString(params["sign"])
	sum := sha256.Sum256([]byte(text(params, "sign")))
	if err != nil || params["sign_type"] != "RSA2" || rsa.VerifyPKCS1v15(s.c.Merchant, crypto.SHA256, sum[:], raw) != nil {
		return nil, nil, "isv.invalid-signature"
	}
	at, err := time.ParseInLocation(time.DateTime, params["timestamp"], beijing)
	if age := s.Now().Sub(at); err != nil || age > 24*time.Hour || age < -24*time.Hour {
		return nil, nil, "isv.invalid-timestamp"
	}
	if err := json.Unmarshal([]byte(params["biz_content"]), &content); err != nil {
		return nil, nil, "isv.invalid-parameter"
	}
	return params, content, ""
}

// key tells which key signs, and the name of its certificate.
func (s *Simulator) key() (*rsa.PrivateKey, string) {
	if s.Second() {
		return s.second, s.secondSN
	}
	return s.c.Key, s.firstSN
}

// reply writes a signed answer. The member comes first and is signed as it stands.
func (s *Simulator) reply(w http.ResponseWriter, method string, answer map[string]string) {
	f := s.Faults()
	raw, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	member := strings.ReplaceAll(method, ".", "_") + "_response"
	key, sn := s.key()
	if f.BadAnswer {
		key = s.second
	}
	out := `{"` + member + `":` + string(raw)
	if sn != "" {
		out += `,"alipay_cert_sn":"` + sn + `"`
	}
	if !f.Unsigned {
		out += `,"sign":"` + sign(key, string(raw)) + `"`
	}
	w.Header().Set("Content-Type", "text/html;charset=utf-8")
	_, _ = w.Write([]byte(out + "}"))
}

// issue makes a root, the application's certificate and two of Alipay's.
func (s *Simulator) issue() error {
	rootKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	root := template(1, "Simulated Alipay Root", true)
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, &rootKey.PublicKey, rootKey)
	if err != nil {
		return err
	}
	s.Root, s.rootSN = named(rootDER)
	for i, to := range []struct {
		key     *rsa.PublicKey
		pem, sn *string
	}{{s.c.Merchant, &s.App, &s.appSN}, {&s.c.Key.PublicKey, &s.First, &s.firstSN}, {&s.second.PublicKey, &s.SecondPEM, &s.secondSN}} {
		der, err := x509.CreateCertificate(rand.Reader, template(int64(i)+1000, "Simulated", false), root, to.key, rootKey)
		if err != nil {
			return err
		}
		*to.pem, *to.sn = named(der)
	}
	return nil
}

func template(serial int64, name string, ca bool) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{Country: []string{"CN"}, Organization: []string{"Simulated"}, OrganizationalUnit: []string{"Pay"}, CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(5, 0, 0), IsCA: ca, BasicConstraintsValid: true,
		SignatureAlgorithm: x509.SHA256WithRSA,
	}
}

// named returns a certificate as PEM, and what the platform calls it.
func named(der []byte) (text, sn string) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	i := c.Issuer
	name := "CN=" + i.CommonName + ",OU=" + i.OrganizationalUnit[0] + ",O=" + i.Organization[0] + ",C=" + i.Country[0]
	sum := md5.Sum([]byte(name + c.SerialNumber.String()))
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), hex.EncodeToString(sum[:])
}

// Acked tells whether the merchant took a notice.
func (s *Simulator) Acked(status int, body string) bool {
	return status == http.StatusOK && body == "success"
}

// Notice makes the signed form about a trade. What it says about the payer must
// not stay with the merchant.
func (s *Simulator) Notice(t till.Trade, _ *till.Refund, f till.Faults) (*http.Request, error) {
	status := map[string]string{"waiting": "WAIT_BUYER_PAY", "paid": "TRADE_SUCCESS", "closed": "TRADE_CLOSED"}[t.State]
	p := map[string]string{
		"notify_time": s.now(), "notify_type": "trade_status_sync", "notify_id": "n" + t.TradeNo, "charset": "utf-8", "version": "1.0",
		"app_id": s.c.AppID, "auth_app_id": s.c.AppID, "seller_id": s.c.SellerID, "trade_no": t.TradeNo, "out_trade_no": t.OutTradeNo,
		"trade_status": status, "total_amount": till.Yuan(f.Wrong(t.Fen)), "receipt_amount": till.Yuan(t.Fen), "subject": t.Subject,
		"gmt_create": t.Added.In(beijing).Format(time.DateTime), "gmt_payment": t.Ended.In(beijing).Format(time.DateTime),
		"buyer_id": "2088000000000001", "buyer_logon_id": "payer@example.com", "seller_email": "seller@example.com",
		"fund_bill_list": `[{"amount":"` + till.Yuan(t.Fen) + `","fundChannel":"ALIPAYACCOUNT"}]`, "body": "",
	}
	if n := len(t.Refunds); n > 0 {
		p["gmt_refund"], p["refund_fee"] = t.Refunds[n-1].At.In(beijing).Format("2006-01-02 15:04:05.000"), till.Yuan(t.Refunded())
		if t.Refunded() == t.Fen {
			p["trade_status"] = "TRADE_CLOSED"
		}
	}
	if f.ForeignMerchant {
		p["seller_id"] = "2088999999999999"
	}
	key, sn := s.key()
	p["sign"], p["sign_type"] = sign(key, text(p)), "RSA2"
	if sn != "" {
		p["alipay_cert_sn"] = sn
	}
	if f.BadSignature || f.Probe {
		p["sign"] = sign(s.second, "forged")
	}
	form := url.Values{}
	for n, v := range p {
		form.Set(n, v)
	}
	return till.Post(t.NotifyURL, "application/x-www-form-urlencoded; charset=utf-8", strings.NewReader(form.Encode()))
}
