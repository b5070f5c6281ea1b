package config

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func demo() Config {
	c := Default()
	c.Demo = Demo{Enabled: true, Epay: "127.0.0.1:1", Aliyun: "127.0.0.1:2", SMTP: "127.0.0.1:3", Mailbox: "127.0.0.1:4", IMAP: "127.0.0.1:5"}
	return c
}

func TestComplaintsNameTheKey(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		change func(*Config)
		key    string
	}{
		{"nothing wrong", func(*Config) {}, ""},
		{"a path too long for a socket", func(c *Config) { c.Data = "/" + strings.Repeat("d", 120) }, "data"},
		{"unknown profile", func(c *Config) { c.Profile = "moon" }, "profile"},
		{"plain http", func(c *Config) { c.Console.URL = "http://x" }, "console.url"},
		{"a path", func(c *Config) { c.Console.URL = "https://x.example/cloud" }, "console.url"},
		{"a long brand", func(c *Config) { c.Operator.Brand = strings.Repeat("b", 128) }, "operator.brand"},
		{"key without certificate", func(c *Config) { c.Console.Key = "k" }, "console.certificate"},
		{"one database for both", func(c *Config) { c.Database, c.KeyStore = "postgres://x", "postgres://x" }, "keystore"},
		{"a simulator elsewhere", func(c *Config) { c.Demo.Epay = "198.51.100.1:80" }, "demo.epay"},
		{"a simulator by name", func(c *Config) { c.Demo.SMTP = "localhost:25" }, "demo.smtp"},
		{"real credentials in a demo", func(c *Config) { c.Epay.KeyFile = "key" }, "epay.key_file"},
		{"an Alipay elsewhere", func(c *Config) { c.Demo.Alipay = "198.51.100.1:80" }, "demo.alipay"},
		{"a WeChat Pay elsewhere", func(c *Config) { c.Demo.WechatPay = "198.51.100.1:80" }, "demo.wechatpay"},
		{"a real Alipay in a demo", func(c *Config) { c.Alipay.PrivateKeyFile = "key" }, "alipay.private_key_file"},
		{"a real WeChat Pay in a demo", func(c *Config) { c.WechatPay.APIv3KeyFile = "key" }, "wechatpay.api_v3_key_file"},
		{"no operator outside a demo", func(c *Config) { c.Demo.Enabled = false }, "operator"},
		{"a node without key", func(c *Config) { c.Gwlink.Nodes = []RemoteNode{{Name: "b", Region: "r"}} }, "gwlink.nodes[0].key_sha256"},
		{"a node with our name", func(c *Config) {
			c.Gwlink.Nodes = []RemoteNode{{Name: "node-1", Region: "r", KeySHA256: strings.Repeat("a", 64)}}
		}, "gwlink.nodes[0]"},
		{"IPv6 of a VPC that is none", func(c *Config) {
			c.Node.Networks["v"] = Network{Bridge: "b", CIDR: netip.MustParsePrefix("10.77.0.0/24"), Address: netip.MustParsePrefix("10.77.0.1/24"), CIDR6: netip.MustParsePrefix("10.78.0.0/24")}
		}, "node.networks.v.cidr6"},
		{"IPv6 address outside of its VPC", func(c *Config) {
			c.Node.Networks["v"] = Network{Bridge: "b", CIDR: netip.MustParsePrefix("10.77.0.0/24"), Address: netip.MustParsePrefix("10.77.0.1/24"), CIDR6: netip.MustParsePrefix("fd00:77::/64"), Address6: netip.MustParsePrefix("fd00:78::1/64")}
		}, "node.networks.v.address6"},
		{"main backups for too long", func(c *Config) { c.Backup.Main.Keep += 1 }, "backup.main.keep"},
		{"key backups for too long", func(c *Config) { c.Backup.Keys.Keep += 1 }, "backup.keys.keep"},
		{"one store backed up alone", func(c *Config) { c.Backup.Main.Directory, c.Backup.Main.PublicKeyFile = "/a", "k" }, "backup.main.directory"},
		{"both stores in one place", func(c *Config) {
			c.Backup.Main.Directory, c.Backup.Keys.Directory = "/a", "/a/"
			c.Backup.Main.PublicKeyFile, c.Backup.Keys.PublicKeyFile = "k", "k"
		}, "backup.keys.directory"},
		{"backups without a key", func(c *Config) { c.Backup.Main.Directory, c.Backup.Keys.Directory = "/a", "/b" }, "backup.keys.public_key_file"},
		{"network without CIDR", func(c *Config) { c.Node.Networks["v"] = Network{Bridge: "b"} }, "node.networks.v.cidr"},
	}
	for _, cs := range cases {
		c := demo()
		cs.change(&c)
		err := c.Validate()
		if cs.key == "" && err != nil {
			t.Errorf("%s: got %v", cs.name, err)
		}
		if cs.key != "" && (err == nil || !strings.Contains(err.Error(), cs.key+":")) {
			t.Errorf("%s: got %v, want a complaint about %s", cs.name, err, cs.key)
		}
	}
}

func TestAnUnknownKeyIsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(file, []byte("profile: hongkong\nprofiel: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "profiel") {
		t.Errorf("got %v", err)
	}
}
