package service

// Topics that this module publishes.
const (
	TopicActive          = "service.active"
	TopicProvisionFailed = "service.provision_failed"
	TopicSuspended       = "service.suspended"
	TopicResumed         = "service.resumed"
	TopicTerminating     = "service.terminating" // open orders of it are void
	TopicTerminated      = "service.terminated"
	TopicRenewed         = "service.renewed"
	TopicRenewFailed     = "service.renew_failed" // paid, and there is nothing left to renew
	TopicUpgraded        = "service.upgraded"
	TopicUpgradeFailed   = "service.upgrade_failed"
)

// Changed is the payload of all topics of this module.
type Changed struct {
	Service  string
	Account  string
	Order    string
	Line     string
	Resource string
	Problem  string // code; of failures only
	Reason   string // of suspended and resumed
	At       int64  // when, in microseconds; of suspended and resumed
	Days     int    // of notices: until the end of the paid time; below zero: since
	Ends     int64  // the end of the paid time, in microseconds; of what is due by it
	Date     string // of notices: the day that is meant
}

// Topics of what is due. The payload is a Changed with Days, Ends and Date. A
// renewal that is due wants an order; a payment that is due wants it paid.
const (
	TopicRenewalDue  = "service.renewal_due"
	TopicPaymentDue  = "service.payment_due"
	TopicExpiring    = "service.expiring"
	TopicOverdue     = "service.overdue"
	TopicFinalNotice = "service.final_notice"
)

// topicOrderPaid is published by the module order, which stands later.
const topicOrderPaid = "order.paid"

type orderPaid struct{ Order string }
