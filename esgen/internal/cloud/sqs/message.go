package sqs

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Outgoing is a message to be sent.
type Outgoing struct {
	Body            string
	Attributes      map[string]Attribute
	GroupID         string // FIFO queues only
	DeduplicationID string // FIFO queues only
}

// Attribute is a value that goes with a message.
type Attribute struct {
	DataType string // "String", "Number" or "Binary", with an optional "."+label
	String   string // of String and Number
	Binary   []byte // of Binary
}

// Sent is what a sender gets to know.
type Sent struct {
	MessageID      string
	SequenceNumber string // of FIFO queues
}

// Message is a message as a receiver gets it.
type Message struct {
	ID, Receipt, Body string
	Attributes        map[string]Attribute
	// System has the attributes that SQS gives: ApproximateReceiveCount, SentTimestamp, and so on.
	System map[string]string
}

// MD5 is the checksum of a body, in hexadecimal digits.
func MD5(body string) string {
	sum := md5.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

// AttributesMD5 is the checksum of attributes as SQS defines it; "" of none.
func AttributesMD5(attributes map[string]Attribute) string {
	if len(attributes) == 0 {
		return ""
	}
	h := md5.New()
	part := func(b []byte) {
		var length [4]byte
		binary.BigEndian.PutUint32(length[:], uint32(len(b)))
		h.Write(length[:])
		h.Write(b)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		part([]byte(name))
		part([]byte(a.DataType))
		if a.isBinary() {
			h.Write([]byte{2})
			part(a.Binary)
		} else {
			h.Write([]byte{1})
			part([]byte(a.String))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (a Attribute) isBinary() bool {
	return a.DataType == "Binary" || strings.HasPrefix(a.DataType, "Binary.")
}

// Size is what counts of a message: the body, and names, types and values of attributes.
func (m Outgoing) Size() int {
	n := len(m.Body)
	for name, a := range m.Attributes {
		n += len(name) + len(a.DataType) + len(a.String) + len(a.Binary)
	}
	return n
}

var (
	attributeName = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
	attributeType = regexp.MustCompile(`^(String|Number|Binary)(\.[A-Za-z0-9_.-]+)?$`)
	idForm        = regexp.MustCompile("^[A-Za-z0-9!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]{1,128}$")
)

// Check says what is wrong with a message for a queue that is configured so; nil is nothing.
func (m Outgoing) Check(c Config) *Failure {
	switch {
	case m.Body == "":
		return missing("MessageBody")
	case m.Size() > c.MaximumMessageSize:
		return invalid("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", c.MaximumMessageSize)
	case !allowed(m.Body):
		return &Failure{Code: "InvalidMessageContents", Message: "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF", Status: 400}
	case len(m.Attributes) > maxAttributes:
		return invalid("Number of message attributes [%d] exceeds the allowed maximum [%d].", len(m.Attributes), maxAttributes)
	}
	for name, a := range m.Attributes {
		if f := a.check(name); f != nil {
			return f
		}
	}
	return m.checkOrder(c)
}

func (m Outgoing) checkOrder(c Config) *Failure {
	switch {
	case !c.FIFO && m.GroupID != "":
		return unsupported("message groups of standard queues (fair queues) are not honoured by this stand-in: queue %s", c.Name)
	case !c.FIFO && m.DeduplicationID != "":
		return invalid("The request include parameter MessageDeduplicationId which is not valid for this queue type")
	case !c.FIFO:
		return nil
	case m.GroupID == "":
		return missing("MessageGroupId")
	case !idForm.MatchString(m.GroupID):
		return invalid("MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length")
	case m.DeduplicationID == "" && !c.ContentBasedDeduplication:
		return invalid("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	case m.DeduplicationID != "" && !idForm.MatchString(m.DeduplicationID):
		return invalid("MessageDeduplicationId can only include alphanumeric and punctuation characters. 1 to 128 in length")
	}
	return nil
}

func (a Attribute) check(name string) *Failure {
	lower := strings.ToLower(name)
	switch {
	case len(name) > 256 || !attributeName.MatchString(name) || strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon."):
		return invalid("Message attribute name %.64q is invalid.", name)
	case len(a.DataType) > 256 || !attributeType.MatchString(a.DataType):
		return invalid("The message attribute '%s' has an invalid message attribute type.", name)
	case a.isBinary() && (len(a.Binary) == 0 || a.String != ""), !a.isBinary() && (a.String == "" || a.Binary != nil):
		return invalid("The message attribute '%s' must contain a non-empty value of its type.", name)
	case !allowed(a.String):
		return invalid("The message attribute '%s' has characters that are not allowed.", name)
	}
	return nil
}

// allowed reports whether a text has only the characters that XML allows.
func allowed(text string) bool {
	for _, r := range text {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return false
		}
	}
	return utf8.ValidString(text)
}

// message is a message in a queue.
type message struct {
	Outgoing
	id       string
	sequence string // of FIFO queues
	sent     time.Time
	first    time.Time // received
	receives int
	inFlight bool
	hidden   time.Time // until when it is in flight
	receipt  string    // of the last receive
	source   string    // ARN of the queue that it died in
}
