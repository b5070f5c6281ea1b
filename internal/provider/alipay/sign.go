package alipay

import (
	"crypto/md5"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/provider/rsasign"
)

const signType = "RSA2"

// params returns the parameters of a call with its signature: over all that are
// not empty, sorted, raw, sign_type among them.
func (g *Gateway) params(method string, content, more map[string]string) (map[string]string, error) {
	inner, err := json.Marshal(content) // sorted by name
	if err != nil {
		return nil, err
	}
	p := map[string]string{
		"app_id": g.c.AppID, "method": method, "format": "JSON", "charset": "utf-8", "sign_type": signType, "version": "1.0",
		"timestamp": g.clock.Now().In(beijing).Format(time.DateTime), "biz_content": string(inner),
	}
	maps.Copy(p, g.certs)
	maps.Copy(p, more)
	maps.DeleteFunc(p, func(_, v string) bool { return v == "" })
	p["sign"], err = rsasign.Sign(g.key, text(p, "sign"))
	return p, err
}

// text joins the parameters but those left out.
func text(params map[string]string, without ...string) []byte {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if params[name] == "" || slices.Contains(without, name) {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(name + "=" + params[name])
	}
	return []byte(b.String())
}

func values(params map[string]string) url.Values {
	v := url.Values{}
	for name, value := range params {
		v.Set(name, value)
	}
	return v
}

// names are what a call says, for the permit: the parameters, and in the place of
// biz_content what is in it.
func names(params, content map[string]string) []string {
	all := slices.DeleteFunc(slices.Collect(maps.Keys(params)), func(n string) bool { return n == "biz_content" })
	return slices.AppendSeq(all, maps.Keys(content))
}

// certificates reads those of certificate mode.
func (g *Gateway) certificates() error {
	app, err := rsasign.Certificates(g.c.AppCert)
	if err != nil {
		return fmt.Errorf("alipay: the application's certificate: %w", err)
	}
	if key, ok := app[0].PublicKey.(*rsa.PublicKey); !ok || !key.Equal(&g.key.PublicKey) {
		return fmt.Errorf("alipay: the application's certificate is of another key")
	}
	all, err := rsasign.Certificates(g.c.AlipayCert)
	if err != nil {
		return fmt.Errorf("alipay: Alipay's certificate: %w", err)
	}
	g.expires = app[0].NotAfter
	latest := time.Time{} // while Alipay's changes the newest counts
	for _, c := range all {
		if key, ok := c.PublicKey.(*rsa.PublicKey); ok && !c.IsCA {
			g.keys[serial(c)] = key
			if c.NotAfter.After(latest) {
				latest = c.NotAfter
			}
		}
	}
	if latest.Before(g.expires) {
		g.expires = latest
	}
	if len(g.keys) == 0 {
		return fmt.Errorf("alipay: Alipay's certificate: there are only authorities in the file")
	}
	root, err := rootSerial(g.c.RootCert)
	if err != nil {
		return fmt.Errorf("alipay: Alipay's roots: %w", err)
	}
	g.certs["app_cert_sn"], g.certs["alipay_root_cert_sn"] = serial(app[0]), root
	return nil
}

// serial is the platform's name of a certificate: hex MD5 of the issuer, written
// CN=…,OU=…,O=…,C=…, and the serial number in decimal.
func serial(c *x509.Certificate) string {
	sum := md5.Sum([]byte(c.Issuer.String() + c.SerialNumber.String()))
	return hex.EncodeToString(sum[:])
}

// rootSerial joins the names of the RSA roots of a bundle.
func rootSerial(bundle string) (string, error) {
	all, err := rsasign.Certificates(bundle)
	if err != nil {
		return "", err
	}
	var sns []string
	for _, c := range all {
		if c.SignatureAlgorithm == x509.SHA1WithRSA || c.SignatureAlgorithm == x509.SHA256WithRSA {
			sns = append(sns, serial(c))
		}
	}
	return strings.Join(sns, "_"), nil
}
