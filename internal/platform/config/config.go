// Package config is the one structure that an operator writes: defaults in
// code, a YAML file read strictly, a few environment variables and flags over
// it. Secrets are named by file, never written into it.
//
// Load returns a value that validate has passed; every complaint names the key
// and the remedy.
package config

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Config is everything an installation decides.
type Config struct {
	Data     string `yaml:"data"`     // directory of all state; 0700
	Profile  string `yaml:"profile"`  // "mainland" or "hongkong", for good
	Database string `yaml:"database"` // empty = SQLite in Data; else a PostgreSQL URL
	KeyStore string `yaml:"keystore"` // the second database, for keys; empty = SQLite in Data
	Log      Log    `yaml:"log"`

	// MaxBanScore is at how many points logins from one source are refused for a
	// time, by each node and by the control plane.
	MaxBanScore int `yaml:"max_ban_score"`

	Operator Operator `yaml:"operator"`
	Console  Console  `yaml:"console"`
	Node     Node     `yaml:"node"`
	Gwlink   Gwlink   `yaml:"gwlink"`
	Mail     Mail     `yaml:"mail"`
	Intake   Intake   `yaml:"intake"`
	Epay     Epay     `yaml:"epay"`
	Transfer Transfer `yaml:"transfer"`
	Wallet   Wallet   `yaml:"wallet"`

	Alipay    Alipay    `yaml:"alipay"`
	WechatPay WechatPay `yaml:"wechatpay"`
	Refunds   Refunds   `yaml:"refunds"`
	Invoices  Invoices  `yaml:"invoices"`

	RealName RealName `yaml:"realname"`
	SMS      SMS      `yaml:"sms"`
	VPN      VPN      `yaml:"vpn"`
	Metrics  Metrics  `yaml:"metrics"`
	Backup   Backup   `yaml:"backup"`

	// Downloads is the directory of signed releases of skyconnect; empty = none.
	Downloads string `yaml:"downloads"`

	Residency Residency `yaml:"residency"`

	Demo Demo `yaml:"demo"`
}

// Residency is where everything that holds personal data stands, "CN-mainland"
// or "HK", and who vouches for it. In a demonstration all is where the profile
// wants it.
type Residency struct {
	Attestor   string      `yaml:"attestor"`
	Database   string      `yaml:"database"`
	KeyStore   string      `yaml:"keystore"`
	Replicas   string      `yaml:"replicas"` // of the databases; empty = there are none
	BackupMain string      `yaml:"backup_main"`
	BackupKeys string      `yaml:"backup_keys"`
	Logs       string      `yaml:"logs"`
	Spool      string      `yaml:"spool"`
	Mechanisms []Mechanism `yaml:"mechanisms"`
}

// Mechanism is a ground of transfers to recipients elsewhere.
type Mechanism struct {
	ID       string    `yaml:"id"`
	Type     string    `yaml:"type"`
	FilingNo string    `yaml:"filing_no"`
	From     time.Time `yaml:"from"`
	To       time.Time `yaml:"to"`
	Scope    []string  `yaml:"scope"`
	PIA      string    `yaml:"pia"`
}

// Backup is where the two stores are backed up to, apart.
type Backup struct {
	Every time.Duration `yaml:"every"`
	Main  BackupStore   `yaml:"main"`
	Keys  BackupStore   `yaml:"keys"`
}

// BackupStore is the backups of one store. Without a directory there are none.
type BackupStore struct {
	Directory     string        `yaml:"directory"`
	Keep          time.Duration `yaml:"keep"`
	PublicKeyFile string        `yaml:"public_key_file"` // skybridge backup keygen makes it
}

// Region is where the profile wants every store: "CN-mainland" or "HK".
func (c Config) Region() string {
	if c.Profile == "hongkong" {
		return "HK"
	}
	return "CN-mainland"
}

// VPN is what the operator decides about all VPN gateways.
type VPN struct {
	SecretTTL time.Duration `yaml:"secret_ttl"` // how long generated secrets can be read; 0 = always
}

// Metrics are where the processes of this host answer scrapes, on loopback.
type Metrics struct {
	Control string `yaml:"control"` // address and port; empty = not at all
	Gateway string `yaml:"gateway"`
}

// Log says how the process tells what it does.
type Log struct {
	Form  string `yaml:"form"`  // "text" or "json"
	Level string `yaml:"level"` // "debug", "info", "warn", "error"
}

// Operator is who runs the installation, as the policies name them (SUP-1,
// SUP-5). Outside a demonstration all are needed, except Representative in the
// profile mainland.
type Operator struct {
	Brand          string `yaml:"brand"`
	LegalName      string `yaml:"legal_name"`
	Address        string `yaml:"address"`
	Mail           string `yaml:"mail"`
	PrivacyMail    string `yaml:"privacy_mail"` // requests of data subjects
	Phone          string `yaml:"phone"`
	QQGroup        string `yaml:"qq_group"` // number of the QQ group; empty: there is none
	DPO            string `yaml:"dpo"`      // person in charge of personal data: name or office
	DPOContact     string `yaml:"dpo_contact"`
	Representative string `yaml:"representative"` // PIPL 53, for operators abroad
	Complaint      string `yaml:"complaint"`
	Authority      string `yaml:"authority"`
	Mechanism      string `yaml:"mechanism"` // cross-border mechanism; hongkong only
}

// Console is the HTTPS end for people and programs.
type Console struct {
	Listen      string         `yaml:"listen"`
	URL         string         `yaml:"url"`         // as browsers and payment providers reach it
	Certificate string         `yaml:"certificate"` // PEM file; empty = self-signed
	Key         string         `yaml:"key"`
	Proxies     []netip.Prefix `yaml:"proxies"` // whose X-Forwarded-For is believed
}

// Node is the gateway node that this host runs.
type Node struct {
	Name        string             `yaml:"name"`      // unique among the nodes of an installation
	Region      string             `yaml:"region"`    // catalogue region whose gateways it runs
	Location    string             `yaml:"location"`  // where the machine stands: "CN-mainland", "HK"
	Addresses   []netip.Addr       `yaml:"addresses"` // public; gateways listen on these
	Control     string             `yaml:"control"`   // unix socket path, or https URL of the control plane
	CA          string             `yaml:"ca"`        // PEM files of mutual TLS with a control plane elsewhere
	Certificate string             `yaml:"certificate"`
	Key         string             `yaml:"key"`
	Domain      string             `yaml:"domain"`   // SSL servers are <id>.<domain>
	Networks    map[string]Network `yaml:"networks"` // VPCs by name
}

// Gwlink is the end for gateway nodes on other hosts, over mutual TLS. This
// host's node has a unix socket.
type Gwlink struct {
	Listen      string       `yaml:"listen"`      // empty = no other hosts
	Certificate string       `yaml:"certificate"` // PEM files; empty = the console's
	Key         string       `yaml:"key"`
	Nodes       []RemoteNode `yaml:"nodes"`
}

// RemoteNode is a gateway node on another host, known by its key.
type RemoteNode struct {
	Name      string       `yaml:"name"`
	Region    string       `yaml:"region"`
	Location  string       `yaml:"location"`
	Addresses []netip.Addr `yaml:"addresses"`
	KeySHA256 string       `yaml:"key_sha256"` // skybridge admin node-key prints it
}

// Network is a VPC as the node reaches it: a bridge of the node into which
// each VPN gateway gets a leg, or an interface that gateways share.
type Network struct {
	Title      string       `yaml:"title"`
	Bridge     string       `yaml:"bridge"`
	Interface  string       `yaml:"interface"` // instead of a bridge
	CIDR       netip.Prefix `yaml:"cidr"`
	CIDR6      netip.Prefix `yaml:"cidr6"`   // IPv6 of the VPC; empty = none
	Address    netip.Prefix `yaml:"address"` // of the first gateway, with the VPC's prefix length
	Address6   netip.Prefix `yaml:"address6"`
	Last       netip.Addr   `yaml:"last"`   // of the last gateway; empty = room for one
	Router     netip.Addr   `yaml:"router"` // next hop beyond the VPC
	Router6    netip.Addr   `yaml:"router6"`
	Masquerade bool         `yaml:"masquerade"`
	Accounts   []string     `yaml:"accounts"` // who may use it; empty = everybody
}

// Mail is the operator's mail relay.
type Mail struct {
	Host         string `yaml:"host"`
	Port         int    `yaml:"port"`
	User         string `yaml:"user"`
	PasswordFile string `yaml:"password_file"`
	From         string `yaml:"from"`
}

// Intake are the mailboxes that requests of data subjects are fetched from: those
// whose addresses the policies print.
type Intake struct {
	ServiceMail Mailbox `yaml:"service_mail"` // of operator.mail
	PrivacyMail Mailbox `yaml:"privacy_mail"` // of operator.privacy_mail
	DPO         Mailbox `yaml:"dpo"`          // of operator.dpo_contact, where that is a mail address of its own
}

// Mailbox is read over IMAPS and not changed.
type Mailbox struct {
	Host         string `yaml:"host"` // empty: nothing is fetched
	Port         int    `yaml:"port"`
	User         string `yaml:"user"`
	PasswordFile string `yaml:"password_file"`
}

// Transfer is the operator's account at a bank, for payments that a member of the
// staff sees there. Without a number nobody pays by it.
type Transfer struct {
	Holder string `yaml:"holder"`
	Bank   string `yaml:"bank"`
	Number string `yaml:"number"`
	Days   int    `yaml:"days"` // that an order waits for the money
}

// Wallet is what the operator chooses about wallets. Amounts are yuan.
type Wallet struct {
	TopUp           bool   `yaml:"top_up"`            // customers may pay in
	TopUpMin        string `yaml:"top_up_min"`        // of one top-up
	TopUpMax        string `yaml:"top_up_max"`        // likewise
	LowBelow        string `yaml:"low_below"`         // tells the customer; "0": never
	TwoPersonsAbove string `yaml:"two_persons_above"` // that one member of the staff books by hand within a day
}

// Epay is one epay (CooPay-like) gateway account.
type Epay struct {
	BaseURL   string   `yaml:"base_url"`
	PID       string   `yaml:"pid"`
	KeyFile   string   `yaml:"key_file"`
	KeyMode   string   `yaml:"key_mode"`   // "plain" or "amp_key"
	LegalName string   `yaml:"legal_name"` // of the gateway's operator, for the list of recipients
	Contact   string   `yaml:"contact"`
	Types     []string `yaml:"types"` // "alipay", "wxpay"
}

// Refunds are what the operator decides about money that goes back. Amounts are fen.
type Refunds struct {
	AutomaticUpTo     int64 `yaml:"automatic_up_to"`     // by rule and without a person; 0 = never
	SecondPersonAbove int64 `yaml:"second_person_above"` // two persons approve above it
}

// Invoices are what the operator decides about documents of sales.
type Invoices struct {
	Series       string `yaml:"series"`        // that numbers of invoices begin with
	CreditSeries string `yaml:"credit_series"` // likewise, of credit notes
	TaxNumber    string `yaml:"tax_number"`    // of the seller: the unified social credit code, or what the tax office gave
	TaxRate      int64  `yaml:"tax_rate"`      // that prices contain, in hundredths of a per cent; 0 = none is shown
}

// Alipay is an account at Alipay's open platform: with Alipay's public key, or
// with three certificates.
type Alipay struct {
	Endpoint       string   `yaml:"endpoint"`
	BillEndpoint   string   `yaml:"bill_endpoint"`
	AppID          string   `yaml:"app_id"` // empty: none
	SellerID       string   `yaml:"seller_id"`
	PrivateKeyFile string   `yaml:"private_key_file"`
	PublicKeyFile  string   `yaml:"public_key_file"`
	AppCertFile    string   `yaml:"app_cert_file"`
	AlipayCertFile string   `yaml:"alipay_cert_file"`
	RootCertFile   string   `yaml:"root_cert_file"`
	Types          []string `yaml:"types"` // "page", "qr", "wap"
}

// WechatPay is a merchant at WeChat Pay, API version 3.
type WechatPay struct {
	Endpoint         string `yaml:"endpoint"`
	AppID            string `yaml:"app_id"`
	MchID            string `yaml:"mch_id"` // empty: none
	SerialNo         string `yaml:"serial_no"`
	PrivateKeyFile   string `yaml:"private_key_file"`
	APIv3KeyFile     string `yaml:"api_v3_key_file"`
	PublicKeyID      string `yaml:"public_key_id"`
	PublicKeyFile    string `yaml:"public_key_file"`
	CertificatesFile string `yaml:"certificates_file"`
}

// RealName is the identity check.
type RealName struct {
	Endpoint    string `yaml:"endpoint"`
	AccessKeyID string `yaml:"access_key_id"`
	SecretFile  string `yaml:"secret_file"`
	PublicKey   string `yaml:"public_key"` // the provider's SM2 key: 04, X, Y in hex
}

// Demo turns the installation into a demonstration: third parties are
// simulators on loopback. It refuses to start beside real credentials.
type Demo struct {
	Enabled bool   `yaml:"enabled"`
	Epay    string `yaml:"epay"` // loopback host:port of each simulator
	Aliyun  string `yaml:"aliyun"`
	SMTP    string `yaml:"smtp"`
	IMAP    string `yaml:"imap"`
	Mailbox string `yaml:"mailbox"` // HTTP end of the mail sink
	Lab     bool   `yaml:"lab"`     // make the demo VPC, LAN host and client namespace

	Alipay    string `yaml:"alipay"` // empty: nobody pays by it
	WechatPay string `yaml:"wechatpay"`
}

// Default returns the configuration of a single host.
func Default() Config {
	return Config{
		Data: "data", Profile: "mainland",
		Log: Log{Form: "text", Level: "info"}, MaxBanScore: 80,
		Console:  Console{Listen: "127.0.0.1:8443", URL: "https://127.0.0.1:8443"},
		Node:     Node{Name: "node-1", Region: "cn-east-1", Location: "CN-mainland", Domain: "vpn.internal", Networks: map[string]Network{}},
		VPN:      VPN{SecretTTL: 7 * 24 * time.Hour},
		Backup:   Backup{Every: 24 * time.Hour, Main: BackupStore{Keep: 30 * 24 * time.Hour}, Keys: BackupStore{Keep: 7 * 24 * time.Hour}},
		Mail:     Mail{Port: 587},
		Intake:   Intake{ServiceMail: Mailbox{Port: 993}, PrivacyMail: Mailbox{Port: 993}, DPO: Mailbox{Port: 993}},
		Transfer: Transfer{Days: 3},
		Wallet:   Wallet{TopUp: true, TopUpMin: "1.00", TopUpMax: "50000.00", LowBelow: "50.00", TwoPersonsAbove: "500.00"},
		Epay:     Epay{KeyMode: "plain", Types: []string{"alipay", "wxpay"}},
		Alipay: Alipay{
			Endpoint: "https://openapi.alipay.com", BillEndpoint: "https://dwbillcenter.alipay.com", Types: []string{"page", "qr"},
		},
		WechatPay: WechatPay{Endpoint: "https://api.mch.weixin.qq.com"},
		Refunds:   Refunds{SecondPersonAbove: 1_000_00},
		Invoices:  Invoices{Series: "INV", CreditSeries: "CN"},
		RealName:  RealName{Endpoint: "https://cloudauth.aliyuncs.com"},
		SMS:       SMS{Endpoint: "https://dysmsapi.aliyuncs.com", ADay: 1000},
	}
}

// Load reads a file over the defaults; an empty path means defaults only.
func Load(path string) (Config, error) {
	c := Default()
	if path == "" {
		return c, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("reading the configuration: %w", err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return c, fmt.Errorf("reading %s: %w", path, err)
	}
	return c, nil
}

// Path returns a path under the data directory.
func (c Config) Path(parts ...string) string {
	return filepath.Join(append([]string{c.Data}, parts...)...)
}

// MainDatabase returns what db.Open takes for the main database.
func (c Config) MainDatabase() string {
	if c.Database != "" {
		return c.Database
	}
	return c.Path("skybridge.db")
}

// KeyDatabase returns what db.Open takes for the key store.
func (c Config) KeyDatabase() string {
	if c.KeyStore != "" {
		return c.KeyStore
	}
	return c.Path("keys.db")
}

// ControlSocket returns where gateway nodes of this host reach the control
// plane.
func (c Config) ControlSocket() string {
	if c.Node.Control != "" {
		return c.Node.Control
	}
	return c.Path("run", "gwlink.sock")
}

// maxSocket is the longest path of a unix socket on Linux (unix(7)), without
// its ending zero.
const maxSocket = 107

// Validate names everything that is wrong, each with its key and remedy.
func (c Config) Validate() error {
	var wrong []error
	complain := func(key, remedy string) { wrong = append(wrong, fmt.Errorf("%s: %s", key, remedy)) }
	if c.Data == "" {
		complain("data", "name the directory that holds all state")
	}
	if strings.HasPrefix(c.ControlSocket(), "/") && len(c.ControlSocket()) > maxSocket {
		complain("data", fmt.Sprintf("choose a shorter path: %s is longer than the %d bytes that a unix socket's name may have", c.ControlSocket(), maxSocket))
	}
	if !slices.Contains([]string{"mainland", "hongkong"}, c.Profile) {
		complain("profile", `choose "mainland" or "hongkong"; it cannot be changed later`)
	}
	if c.MaxBanScore < 0 {
		complain("max_ban_score", "give the points at which a source of logins is refused, such as 80; 0 refuses none")
	}
	if c.KeyStore != "" && c.KeyStore == c.Database {
		complain("keystore", "keys must be in another database than data, so that a backup of one is worthless alone")
	}
	if u, err := url.Parse(c.Console.URL); err != nil || u.Scheme != "https" || u.Host == "" {
		complain("console.url", "give the https address that browsers use, such as https://cloud.example.com")
	}
	if u, err := url.Parse(c.Console.URL); err == nil && strings.Trim(u.Path, "/") != "" {
		complain("console.url", "give an address without a path; the console has a host of its own")
	}
	if len(c.Operator.Brand) > 127 {
		complain("operator.brand", "give at most 127 bytes; it is the subject of payments")
	}
	if (c.Console.Certificate == "") != (c.Console.Key == "") {
		complain("console.certificate", "give certificate and key, or neither for a self-signed one")
	}
	if c.Node.Name == "" || strings.ContainsAny(c.Node.Name, "/ ") {
		complain("node.name", "give the node a short name without blanks")
	}
	if c.VPN.SecretTTL < 0 {
		complain("vpn.secret_ttl", "give a time such as 168h, or 0 for always")
	}
	for key, address := range map[string]string{"metrics.control": c.Metrics.Control, "metrics.gateway": c.Metrics.Gateway} {
		if address != "" && !loopback(address) {
			complain(key, "give a loopback address and port, such as 127.0.0.1:9470; numbers are not for the network")
		}
	}
	wrong = append(wrong, c.Backup.validate()...)
	if c.Refunds.AutomaticUpTo < 0 || c.Refunds.SecondPersonAbove < 0 {
		wrong = append(wrong, errors.New("refunds.automatic_up_to, refunds.second_person_above: fen, not below 0"))
	}
	wrong = append(wrong, c.validateGwlink()...)
	wrong = append(wrong, c.validateNetworks()...)
	for key, b := range map[string]Mailbox{"service_mail": c.Intake.ServiceMail, "privacy_mail": c.Intake.PrivacyMail, "dpo": c.Intake.DPO} {
		if b.Host != "" && (b.User == "" || b.PasswordFile == "") {
			complain("intake."+key, "give user and password_file of the mailbox, or no host")
		}
	}
	wrong = append(wrong, c.validateDemo()...)
	wrong = append(wrong, c.validateSMS()...)
	return errors.Join(wrong...)
}

// validate holds backups to the retention classes and the two stores apart.
func (b Backup) validate() (wrong []error) {
	complain := func(key, remedy string) { wrong = append(wrong, fmt.Errorf("backup.%s: %s", key, remedy)) }
	if b.Every < time.Minute {
		complain("every", "give a time such as 24h")
	}
	if b.Main.Keep <= 0 || b.Main.Keep > 30*24*time.Hour {
		complain("main.keep", "give at most 720h: personal data is not kept longer in backups")
	}
	if b.Keys.Keep <= 0 || b.Keys.Keep > 7*24*time.Hour {
		complain("keys.keep", "give at most 168h: a destroyed key is gone when its last backup is")
	}
	if (b.Main.Directory == "") != (b.Keys.Directory == "") {
		complain("main.directory", "give both stores a directory, or neither: one is worthless alone")
	}
	if b.Main.Directory != "" && filepath.Clean(b.Main.Directory) == filepath.Clean(b.Keys.Directory) {
		complain("keys.directory", "give another directory than backup.main.directory, on other storage: who has both has the data")
	}
	for key, s := range map[string]BackupStore{"main": b.Main, "keys": b.Keys} {
		if s.Directory != "" && s.PublicKeyFile == "" {
			complain(key+".public_key_file", "make a key with skybridge backup keygen and name its public half")
		}
	}
	return wrong
}

func (c Config) validateGwlink() (wrong []error) {
	if (c.Gwlink.Certificate == "") != (c.Gwlink.Key == "") {
		wrong = append(wrong, errors.New("gwlink.certificate: give certificate and key, or neither for the console's"))
	}
	for i, n := range c.Gwlink.Nodes {
		if n.Name == "" || n.Name == c.Node.Name || n.Region == "" {
			wrong = append(wrong, fmt.Errorf("gwlink.nodes[%d]: give a name of its own and a region", i))
		}
		if sum, err := hex.DecodeString(n.KeySHA256); err != nil || len(sum) != 32 {
			wrong = append(wrong, fmt.Errorf("gwlink.nodes[%d].key_sha256: give the 64 hex digits that skybridge admin node-key prints", i))
		}
	}
	return wrong
}

func (c Config) validateNetworks() (wrong []error) {
	for name, n := range c.Node.Networks {
		if !n.CIDR.IsValid() || n.CIDR != n.CIDR.Masked() {
			wrong = append(wrong, fmt.Errorf("node.networks.%s.cidr: give the VPC's network, such as 10.77.0.0/24", name))
		} else if !n.CIDR.Contains(n.Address.Addr()) || n.Address.Bits() != n.CIDR.Bits() {
			wrong = append(wrong, fmt.Errorf("node.networks.%s.address: give an address of the VPC with its prefix length, such as 10.77.0.1/24", name))
		}
		if err := n.validate6(); err != nil {
			wrong = append(wrong, fmt.Errorf("node.networks.%s.%w", name, err))
		}
		if (n.Bridge == "") == (n.Interface == "") {
			wrong = append(wrong, fmt.Errorf("node.networks.%s.bridge: name the bridge, or the interface, of the host that carries the VPC", name))
		}
	}
	return wrong
}

// validate6 holds IPv6 of a VPC, if it has any, to a network and an address of
// the first gateway in it.
func (n Network) validate6() error {
	switch {
	case !n.CIDR6.IsValid() && !n.Address6.IsValid():
		return nil
	case !n.CIDR6.IsValid() || n.CIDR6 != n.CIDR6.Masked() || !n.CIDR6.Addr().Is6():
		return errors.New("cidr6: give the VPC's IPv6 network, such as fd00:77::/64, or leave it and address6 out")
	case !n.CIDR6.Contains(n.Address6.Addr()) || n.Address6.Bits() != n.CIDR6.Bits():
		return errors.New("address6: give an IPv6 address of the VPC with its prefix length, such as fd00:77::1/64")
	}
	return nil
}

// validateDemo holds docs/decisions/0003: simulators are on loopback, and a
// demo never runs beside real credentials.
func (c Config) validateDemo() (wrong []error) {
	if !c.Demo.Enabled {
		if c.Operator.LegalName == "" || c.Operator.Mail == "" {
			wrong = append(wrong, errors.New("operator: give legal_name, mail and the other facts; the policies name who handles personal data"))
		}
		return wrong
	}
	for key, value := range map[string]string{
		"epay.key_file": c.Epay.KeyFile, "alipay.private_key_file": c.Alipay.PrivateKeyFile, "wechatpay.private_key_file": c.WechatPay.PrivateKeyFile,
		"wechatpay.api_v3_key_file": c.WechatPay.APIv3KeyFile, "realname.secret_file": c.RealName.SecretFile, "sms.secret_file": c.SMS.SecretFile, "mail.password_file": c.Mail.PasswordFile,
		"intake.service_mail.password_file": c.Intake.ServiceMail.PasswordFile, "intake.privacy_mail.password_file": c.Intake.PrivacyMail.PasswordFile,
		"intake.dpo.password_file": c.Intake.DPO.PasswordFile,
	} {
		if value != "" {
			wrong = append(wrong, fmt.Errorf("%s: real credentials and demo mode exclude each other; remove one", key))
		}
	}
	simulators := map[string]string{"demo.epay": c.Demo.Epay, "demo.aliyun": c.Demo.Aliyun, "demo.smtp": c.Demo.SMTP, "demo.imap": c.Demo.IMAP, "demo.mailbox": c.Demo.Mailbox}
	for key, value := range map[string]string{"demo.alipay": c.Demo.Alipay, "demo.wechatpay": c.Demo.WechatPay} {
		if value != "" {
			simulators[key] = value
		}
	}
	for key, value := range simulators {
		if !loopback(value) {
			wrong = append(wrong, fmt.Errorf("%s: give a loopback address and port, such as 127.0.0.1:8600", key))
		}
	}
	return wrong
}

func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
