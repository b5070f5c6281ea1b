package app

import (
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
	"github.com/skybridge-cloud/skybridge/internal/provider/alipay"
	"github.com/skybridge-cloud/skybridge/internal/provider/epay"
	"github.com/skybridge-cloud/skybridge/internal/provider/transfer"
	"github.com/skybridge-cloud/skybridge/internal/provider/wechatpay"
)

// Of the demonstration's accounts at the simulated payment providers. Keys are
// random per installation.
const (
	demoPID        = "1001"
	demoAppID      = "2021000000000001"
	demoSellerID   = "2088000000000002"
	demoWechatApp  = "wx00000000000001"
	demoMchID      = "1900000001"
	demoSerial     = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
	demoPubKeyID   = "PUB_KEY_ID_0119000000012026000000000000000000"
	demoWechatName = "Demo WeChat Pay (simulator)"
	demoAlipayName = "Demo Alipay (simulator)"
)

// maxPayment is the most that one payment may be, in fen.
const maxPayment = 100_000_00

// demoPayments names the simulated payment providers.
func demoPayments(cfg config.Config, o map[string]egress.Override) {
	for id, s := range map[string]struct{ at, name string }{
		epay.Recipient:       {cfg.Demo.Epay, "Demo payment gateway (simulator)"},
		alipay.Recipient:     {cfg.Demo.Alipay, demoAlipayName},
		alipay.BillRecipient: {cfg.Demo.Alipay, demoAlipayName},
		wechatpay.Recipient:  {cfg.Demo.WechatPay, demoWechatName},
	} {
		if s.at != "" {
			o[id] = egress.Override{Endpoint: "http://" + s.at, LegalName: s.name, Contact: "http://" + s.at, Region: storeRegion(cfg)}
		}
	}
}

// realPayments names the payment providers that the operator has accounts at.
func realPayments(cfg config.Config, o map[string]egress.Override) {
	if cfg.Epay.BaseURL != "" {
		o[epay.Recipient] = egress.Override{Endpoint: cfg.Epay.BaseURL, LegalName: cfg.Epay.LegalName, Contact: cfg.Epay.Contact, Mechanism: cfg.Operator.Mechanism}
	}
	if cfg.Alipay.AppID != "" {
		o[alipay.Recipient] = egress.Override{Endpoint: cfg.Alipay.Endpoint, Mechanism: cfg.Operator.Mechanism}
		o[alipay.BillRecipient] = egress.Override{Endpoint: cfg.Alipay.BillEndpoint, Mechanism: cfg.Operator.Mechanism}
	}
	if cfg.WechatPay.MchID != "" {
		o[wechatpay.Recipient] = egress.Override{Endpoint: cfg.WechatPay.Endpoint, Mechanism: cfg.Operator.Mechanism}
	}
}

// opener makes the accounts of one kind; none where nothing is configured.
type opener struct {
	kind string
	open func(cfg config.Config, door *egress.Egress) (payment.GatewayAccount, error)
	on   func(cfg config.Config) bool
}

// openers are the kinds, in the order in which customers see them.
var openers = []opener{
	{"epay", openEpay, func(c config.Config) bool { return c.Demo.Enabled || c.Epay.BaseURL != "" }},
	{"alipay", openAlipay, func(c config.Config) bool { return c.Demo.Alipay != "" || c.Alipay.AppID != "" }},
	{"wechatpay", openWechatPay, func(c config.Config) bool { return c.Demo.WechatPay != "" || c.WechatPay.MchID != "" }},
	{"transfer", openTransfer, func(c config.Config) bool { return c.Demo.Enabled || c.Transfer.Number != "" }},
}

// gatewayAccounts returns the payment accounts of this installation; none: nothing
// can be sold for money yet.
func gatewayAccounts(cfg config.Config, door *egress.Egress) ([]payment.GatewayAccount, error) {
	var all []payment.GatewayAccount
	for _, k := range openers {
		if !k.on(cfg) {
			continue
		}
		a, err := k.open(cfg, door)
		if err != nil {
			return nil, err
		}
		if a.Token, err = ensureSecret(cfg.Path(k.kind + "-token")); err != nil {
			return nil, err
		}
		a.ID, a.Currency, a.Min, a.Max = k.kind, money.CNY, 1, maxPayment
		if cfg.Demo.Enabled {
			a.ID += "-demo"
		}
		all = append(all, a)
	}
	return all, nil
}

func openEpay(cfg config.Config, door *egress.Egress) (payment.GatewayAccount, error) {
	d := epay.Dialect{PID: cfg.Epay.PID, KeyMode: epay.KeyMode(cfg.Epay.KeyMode)}
	var err error
	if cfg.Demo.Enabled {
		d.PID = demoPID
		d.Key, err = demoSecret(cfg, "epay-key")
	} else {
		d.Key, err = readSecret(cfg.Epay.KeyFile)
	}
	if err != nil {
		return payment.GatewayAccount{}, fmt.Errorf("epay.key_file: %w", err)
	}
	g, err := epay.New(d, epay.Recipient, door)
	return payment.GatewayAccount{MerchantID: d.PID, Methods: cfg.Epay.Types, Gateway: g}, err
}

// openTransfer makes the account at the bank. Nobody is asked and no notice is
// believed: its token leads to a refusal.
func openTransfer(cfg config.Config, _ *egress.Egress) (payment.GatewayAccount, error) {
	t := transfer.Account{Holder: cfg.Transfer.Holder, Bank: cfg.Transfer.Bank, Number: cfg.Transfer.Number}
	if cfg.Demo.Enabled {
		t = transfer.Account{Holder: brand(cfg), Bank: "Demo Bank", Number: "0000 0000 0000 0001"}
	}
	g, err := transfer.New(t)
	return payment.GatewayAccount{
		MerchantID: "bank", Methods: []string{"transfer"}, Gateway: g, Asset: ledger.Bank, Wait: time.Duration(max(cfg.Transfer.Days, 1)) * 24 * time.Hour,
	}, err
}

// walletRules reads what the operator chose about wallets.
func walletRules(cfg config.Config) (payment.WalletRules, error) {
	w := cfg.Wallet
	r := payment.WalletRules{NoTopUp: !w.TopUp}
	for key, to := range map[string]struct {
		text string
		into *int64
	}{
		"top_up_min": {w.TopUpMin, &r.TopUpMin}, "top_up_max": {w.TopUpMax, &r.TopUpMax}, "low_below": {w.LowBelow, &r.LowBelow},
		"two_persons_above": {w.TwoPersonsAbove, &r.FourEyes},
	} {
		m, err := money.Parse(to.text, money.CNY)
		if err != nil {
			return r, fmt.Errorf("wallet.%s: %w", key, err)
		}
		*to.into = m.Minor
	}
	if r.TopUpMin < 1 || r.TopUpMax < r.TopUpMin {
		return r, fmt.Errorf("wallet.top_up_min, wallet.top_up_max: %w", money.ErrSyntax)
	}
	return r, nil
}

// secrets reads files of the operator into the fields of a configuration.
func secrets(all []secretFile) error {
	for _, s := range all {
		text, err := readSecret(s.file)
		if err != nil {
			return fmt.Errorf("%s: %w", s.key, err)
		}
		*s.into = text
	}
	return nil
}

type secretFile struct {
	key, file string
	into      *string
}

func openAlipay(cfg config.Config, door *egress.Egress) (payment.GatewayAccount, error) {
	g, err := newAlipay(cfg, door)
	if err != nil {
		return payment.GatewayAccount{}, err
	}
	return payment.GatewayAccount{MerchantID: g.MerchantID(), Methods: cfg.Alipay.Types, Gateway: g}, nil
}

func newAlipay(cfg config.Config, door *egress.Egress) (*alipay.Gateway, error) {
	a := cfg.Alipay
	c := alipay.Config{AppID: a.AppID, SellerID: a.SellerID}
	err := secrets([]secretFile{
		{"alipay.private_key_file", a.PrivateKeyFile, &c.PrivateKey},
		{"alipay.public_key_file", a.PublicKeyFile, &c.PublicKey},
		{"alipay.app_cert_file", a.AppCertFile, &c.AppCert},
		{"alipay.alipay_cert_file", a.AlipayCertFile, &c.AlipayCert},
		{"alipay.root_cert_file", a.RootCertFile, &c.RootCert},
	})
	if cfg.Demo.Enabled {
		c.AppID, c.SellerID = demoAppID, demoSellerID
		c.PrivateKey, c.PublicKey, err = demoPair(cfg, "alipay")
	}
	if err != nil {
		return nil, err
	}
	return alipay.New(c, clock.System{}, door)
}

func openWechatPay(cfg config.Config, door *egress.Egress) (payment.GatewayAccount, error) {
	w := cfg.WechatPay
	c := wechatpay.Config{AppID: w.AppID, MchID: w.MchID, SerialNo: w.SerialNo, PublicKeyID: w.PublicKeyID}
	err := secrets([]secretFile{
		{"wechatpay.private_key_file", w.PrivateKeyFile, &c.PrivateKey},
		{"wechatpay.api_v3_key_file", w.APIv3KeyFile, &c.APIv3Key},
		{"wechatpay.public_key_file", w.PublicKeyFile, &c.PublicKey},
		{"wechatpay.certificates_file", w.CertificatesFile, &c.Certificates},
	})
	if cfg.Demo.Enabled {
		c.AppID, c.MchID, c.SerialNo, c.PublicKeyID = demoWechatApp, demoMchID, demoSerial, demoPubKeyID
		if c.PrivateKey, c.PublicKey, err = demoPair(cfg, "wechatpay"); err == nil {
			c.APIv3Key, err = demoSecret(cfg, "wechatpay-key")
		}
	}
	if err != nil {
		return payment.GatewayAccount{}, err
	}
	g, err := wechatpay.New(c, clock.System{}, door)
	if err != nil {
		return payment.GatewayAccount{}, err
	}
	return payment.GatewayAccount{MerchantID: g.MerchantID(), Methods: []string{wechatpay.Native}, Gateway: g}, nil
}
