package app

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"

	"github.com/emmansun/gmsm/sm2"

	"github.com/skybridge-cloud/skybridge/internal/platform/config"
)

// operator returns who the policies name: in a demonstration somebody who
// plainly does not exist.
func operator(cfg config.Config) config.Operator {
	if !cfg.Demo.Enabled || cfg.Operator.LegalName != "" {
		return cfg.Operator
	}
	o := config.Operator{
		Brand: "Skybridge Demo", LegalName: "示例云科技有限公司（演示，并非真实主体）", Address: "示例市示例路 1 号",
		Mail: "service@demo.invalid", PrivacyMail: "privacy@demo.invalid", Phone: "000-0000-0000", QQGroup: "000000000", DPO: "个人信息保护负责人（演示）",
		DPOContact: "dpo@demo.invalid", Complaint: "complaint@demo.invalid", Authority: "国家互联网信息办公室 12377",
	}
	if cfg.Profile == "hongkong" {
		o.Representative, o.Mechanism = "示例境内代表（演示）", demoMechanism
	}
	return o
}

// demoMechanism is the demonstration's pretended ground of transfer.
const demoMechanism = "demo-standard-contract"

func brand(cfg config.Config) string {
	if b := operator(cfg).Brand; b != "" {
		return b
	}
	return "Skybridge"
}

// storeRegion is where the profile's stores are.
func storeRegion(cfg config.Config) string {
	if cfg.Profile == "hongkong" {
		return "HK"
	}
	return "CN-mainland"
}

// demoSecret is a secret shared with the simulators.
func demoSecret(cfg config.Config, name string) (string, error) {
	if err := os.MkdirAll(cfg.Path("demo"), 0o700); err != nil {
		return "", err
	}
	return ensureSecret(cfg.Path("demo", name))
}

// demoSM2 is the simulated identity check's key: the scalar, which the
// simulator has, and the point 04‖X‖Y, which we have; both in hex.
func demoSM2(cfg config.Config) (private, public string, err error) {
	seed, err := demoSecret(cfg, "sm2-seed")
	if err != nil {
		return "", "", err
	}
	digest := sha256.Sum256([]byte(seed)) // below the group's order but with probability 2^-32
	key, err := sm2.NewPrivateKey(digest[:])
	if err != nil {
		return "", "", fmt.Errorf("the demo's SM2 seed makes no key: remove %s and start again: %w", cfg.Path("demo", "sm2-seed"), err)
	}
	point := append([]byte{4}, key.X.FillBytes(make([]byte, 32))...)
	point = append(point, key.Y.FillBytes(make([]byte, 32))...)
	return hex.EncodeToString(digest[:]), hex.EncodeToString(point), nil
}

// demoRSA is a key of the demonstration's payments, made the first time.
func demoRSA(cfg config.Config, name string) (*rsa.PrivateKey, error) {
	if err := os.MkdirAll(cfg.Path("demo"), 0o700); err != nil {
		return nil, err
	}
	text, err := ensureFile(cfg.Path("demo", name), func() ([]byte, error) {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}), nil
	})
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, fmt.Errorf("%s is no key: remove it and start again", cfg.Path("demo", name))
	}
	return x509.ParsePKCS1PrivateKey(block.Bytes)
}

// demoPair is what a merchant has of a simulated provider: its own private key and
// the provider's public one, as PEM.
func demoPair(cfg config.Config, provider string) (private, public string, err error) {
	own, theirs, err := demoKeys(cfg, provider)
	if err != nil {
		return "", "", err
	}
	private = string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(own)}))
	return private, string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&theirs.PublicKey)})), nil
}

// demoKeys are the keys of both sides.
func demoKeys(cfg config.Config, provider string) (own, theirs *rsa.PrivateKey, err error) {
	if own, err = demoRSA(cfg, provider+"-merchant.pem"); err != nil {
		return nil, nil, err
	}
	theirs, err = demoRSA(cfg, provider+"-provider.pem")
	return own, theirs, err
}
