package wechatpay

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/provider/rsasign"
)

const (
	signatureType = "WECHATPAY2-SHA256-RSA2048"
	probe         = "WECHATPAY/SIGNTEST/"
	window        = 300 * time.Second // that a signature may be away from now
	keyLength     = 32
	nonceLength   = 12
)

// authorization signs a request: method, path with query, time, nonce and the
// exact body.
func (g *Gateway) authorization(method, pathAndQuery string, body []byte) (string, error) {
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	nonce, now := strings.ToUpper(hex.EncodeToString(random)), strconv.FormatInt(g.clock.Now().Unix(), 10)
	signature, err := rsasign.Sign(g.key, requestText(method, pathAndQuery, now, nonce, body))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(`%s mchid="%s",nonce_str="%s",timestamp="%s",serial_no="%s",signature="%s"`,
		signatureType, g.c.MchID, nonce, now, g.c.SerialNo, signature), nil
}

func requestText(method, pathAndQuery, timestamp, nonce string, body []byte) []byte {
	return append([]byte(method+"\n"+pathAndQuery+"\n"+timestamp+"\n"+nonce+"\n"), append(body[:len(body):len(body)], '\n')...)
}

func messageText(timestamp, nonce string, body []byte) []byte {
	return append([]byte(timestamp+"\n"+nonce+"\n"), append(body[:len(body):len(body)], '\n')...)
}

// verify holds an answer or a notice to WeChat Pay's signature over its raw body.
// header returns one value, or nothing. ErrBadSignature, ErrProbe, ErrUnknownKey.
func (g *Gateway) verify(header func(name string) string, body []byte) error {
	g.mu.Lock()
	key, known := g.keys[header("Wechatpay-Serial")]
	g.mu.Unlock()
	return g.verifyWith(key, known, header, body)
}

func (g *Gateway) verifyWith(key *rsa.PublicKey, known bool, header func(name string) string, body []byte) error {
	signature, timestamp, nonce := header("Wechatpay-Signature"), header("Wechatpay-Timestamp"), header("Wechatpay-Nonce")
	if strings.HasPrefix(signature, probe) {
		return payment.ErrProbe
	}
	if kind := header("Wechatpay-Signature-Type"); kind != "" && kind != signatureType {
		return fmt.Errorf("%w: another type of signature", payment.ErrBadSignature)
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || nonce == "" || signature == "" {
		return fmt.Errorf("%w: none", payment.ErrBadSignature)
	}
	if now := g.clock.Now().Unix(); seconds < now-int64(window/time.Second) || seconds > now+int64(window/time.Second) {
		return fmt.Errorf("%w: too old or too new", payment.ErrBadSignature)
	}
	if !known {
		return payment.ErrUnknownKey
	}
	if !rsasign.Verify(key, messageText(timestamp, nonce, body), signature) {
		return payment.ErrBadSignature
	}
	return nil
}

// hold adds a platform certificate to keys by its serial number.
func hold(keys map[string]*rsa.PublicKey, c *x509.Certificate) {
	if key, ok := c.PublicKey.(*rsa.PublicKey); ok {
		keys[fmt.Sprintf("%X", c.SerialNumber.Bytes())] = key
	}
}

// sealed is what WeChat Pay encrypts with the APIv3 key.
type sealed struct {
	Algorithm      string `json:"algorithm"`
	Nonce          string `json:"nonce"`
	AssociatedData string `json:"associated_data"`
	Ciphertext     string `json:"ciphertext"`
	OriginalType   string `json:"original_type"`
}

// open decrypts. Algorithm and nonce are checked first: the standard AEAD panics
// on a nonce of another length.
func (s sealed) open(key string) ([]byte, error) {
	if s.Algorithm != "AEAD_AES_256_GCM" || len(s.Nonce) != nonceLength || len(key) != keyLength {
		return nil, errors.New("another algorithm, or a nonce of another length")
	}
	return unseal([]byte(key), s)
}

func unseal(key []byte, s sealed) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(s.Ciphertext)
	if err != nil {
		return nil, errors.New("not base64")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return aead.Open(nil, []byte(s.Nonce), raw, []byte(s.AssociatedData))
}
