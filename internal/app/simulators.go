package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/simulator/alipay"
	"github.com/skybridge-cloud/skybridge/internal/simulator/aliyun"
	"github.com/skybridge-cloud/skybridge/internal/simulator/epay"
	"github.com/skybridge-cloud/skybridge/internal/simulator/smtp"
	"github.com/skybridge-cloud/skybridge/internal/simulator/wechatpay"
	"github.com/skybridge-cloud/skybridge/internal/web"
)

// ErrNotDemo refuses simulators outside a demonstration.
var ErrNotDemo = errors.New("simulators run in a demonstration only: start with --demo")

// Simulators runs the demonstration's third parties until ctx ends.
func Simulators(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	if !cfg.Demo.Enabled {
		return ErrNotDemo
	}
	pay, err := paySimulator(cfg, log)
	if err != nil {
		return err
	}
	check, err := checkSimulator(cfg)
	if err != nil {
		return err
	}
	mails, err := net.Listen("tcp", cfg.Demo.SMTP)
	if err != nil {
		return fmt.Errorf("listening for mail: %w", err)
	}
	sink := smtp.New(nil)
	boxes, letters, err := mailboxSimulator(cfg)
	if err != nil {
		return errors.Join(err, mails.Close())
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	handlers := map[string]http.Handler{cfg.Demo.Epay: pay, cfg.Demo.Aliyun: check, cfg.Demo.Mailbox: demoMail(sink.Handler(), boxes.Handler())}
	if err := tills(cfg, log, handlers); err != nil {
		return errors.Join(err, mails.Close(), letters.Close())
	}
	for address, h := range handlers {
		wg.Go(func() { stop(serveHTTP(ctx, address, h)) })
	}
	wg.Go(func() { stop(sink.Serve(ctx, mails)) })
	wg.Go(func() { stop(boxes.Serve(ctx, letters)) })
	wg.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

func serveHTTP(ctx context.Context, address string, h http.Handler) error {
	s := &http.Server{Addr: address, Handler: h, ReadHeaderTimeout: 10 * time.Second}
	return web.Serve(ctx, s, func() error { return closed(s.ListenAndServe()) })
}

func paySimulator(cfg config.Config, log *slog.Logger) (http.Handler, error) {
	key, err := demoSecret(cfg, "epay-key")
	if err != nil {
		return nil, err
	}
	return epay.New(epay.Config{PID: demoPID, Key: key, Client: noticeClient(cfg), Log: log}), nil
}

// tills adds the simulated Alipay and WeChat Pay that the demonstration has, by
// their addresses.
func tills(cfg config.Config, log *slog.Logger, to map[string]http.Handler) error {
	if at := cfg.Demo.Alipay; at != "" {
		own, theirs, err := demoKeys(cfg, "alipay")
		if err != nil {
			return err
		}
		s, err := alipay.New(alipay.Config{
			AppID: demoAppID, SellerID: demoSellerID, Merchant: &own.PublicKey, Key: theirs, BaseURL: "http://" + at, Client: noticeClient(cfg), Log: log,
		})
		if err != nil {
			return err
		}
		to[at] = s
	}
	if at := cfg.Demo.WechatPay; at != "" {
		own, theirs, err := demoKeys(cfg, "wechatpay")
		if err != nil {
			return err
		}
		secret, err := demoSecret(cfg, "wechatpay-key")
		if err != nil {
			return err
		}
		s, err := wechatpay.New(wechatpay.Config{
			AppID: demoWechatApp, MchID: demoMchID, SerialNo: demoSerial, Merchant: &own.PublicKey, APIv3Key: secret, PublicKeyID: demoPubKeyID, Key: theirs,
			Client: noticeClient(cfg), Log: log,
		})
		if err != nil {
			return err
		}
		to[at] = s
	}
	return nil
}

// noticeClient trusts the console's certificate, also the self-signed one,
// which is read at each connection because the control process makes it.
func noticeClient(cfg config.Config) *http.Client {
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if text, err := os.ReadFile(cfg.Path("tls", "console.pem")); err == nil {
			pool.AppendCertsFromPEM(text)
		}
		d := &tls.Dialer{Config: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
		return d.DialContext(ctx, network, address)
	}
	return &http.Client{
		Timeout: 15 * time.Second, Transport: &http.Transport{DialTLSContext: dial},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func checkSimulator(cfg config.Config) (http.Handler, error) {
	secret, err := demoSecret(cfg, "aliyun-secret")
	if err != nil {
		return nil, err
	}
	key, _, err := demoSM2(cfg)
	if err != nil {
		return nil, err
	}
	return aliyun.New(aliyun.Config{
		AccessKeyID: demoAccessKey, AccessKeySecret: secret, PrivateKey: key, SignName: demoSignName, Templates: demoSMSTemplates(),
	})
}
