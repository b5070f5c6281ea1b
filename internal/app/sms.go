package app

import (
	"fmt"

	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/provider/aliyun"
	simulated "github.com/skybridge-cloud/skybridge/internal/simulator/aliyun"
)

const (
	recipientSMS = "sms.aliyun"
	demoSignName = "云桥演示"
)

// demoSMSCode is the code of a text at the simulated short message service.
func demoSMSCode(template string, mainland bool) string {
	if mainland {
		return "SMS_" + template
	}
	return "SMS_EN_" + template
}

// demoSMSTemplates are the texts that the simulated service has approved: ours.
func demoSMSTemplates() map[string]simulated.Template {
	all := map[string]simulated.Template{}
	for _, id := range notify.SMSTemplates() {
		for _, mainland := range []bool{true, false} {
			all[demoSMSCode(id, mainland)] = simulated.Template{Text: notify.SMSText(id, mainland), Abroad: !mainland, Code: id == "code"}
		}
	}
	return all
}

// smsCarrier is who sends SMS; nil: nobody does.
func smsCarrier(cfg config.Config, door *egress.Egress) (*aliyun.Carrier, error) {
	c := aliyun.SMSConfig{Recipient: recipientSMS, Egress: door, Clock: clock.System{}}
	var err error
	switch {
	case cfg.Demo.Enabled:
		c.AccessKeyID, c.SignName = demoAccessKey, demoSignName
		c.Mainland, c.Abroad = map[string]string{}, map[string]string{}
		for _, id := range notify.SMSTemplates() {
			c.Mainland[id], c.Abroad[id] = demoSMSCode(id, true), demoSMSCode(id, false)
		}
		c.AccessKeySecret, err = demoSecret(cfg, "aliyun-secret")
	case cfg.SMS.AccessKeyID == "":
		return nil, nil
	default:
		c.AccessKeyID, c.SignName, c.Mainland, c.Abroad = cfg.SMS.AccessKeyID, cfg.SMS.SignName, cfg.SMS.Mainland.Codes(), cfg.SMS.Abroad.Codes()
		if c.AccessKeySecret, err = readSecret(cfg.SMS.SecretFile); err != nil {
			err = fmt.Errorf("sms.secret_file: %w", err)
		}
	}
	if err != nil {
		return nil, err
	}
	return aliyun.NewCarrier(c)
}
