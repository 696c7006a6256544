package deployed

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// resend sends some of a consumer's dead letters to its queue again, the oldest of a group first, and
// deletes them. SQS can only move all: so whoever wants to see one go well before the others does it by hand.
func (s *Stack) resend(ctx context.Context, queues *sqs.Client, consumer string, limit int) (sent int, failed error) {
	urls := map[string]string{}
	for sent < limit {
		out, err := queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: aws.String(s.parts.DeadLetters[consumer]), MaxNumberOfMessages: int32(min(limit-sent, 10)), WaitTimeSeconds: 1,
			MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		})
		if err != nil {
			return sent, fmt.Errorf("dead letters of %s: %w", consumer, err)
		}
		if len(out.Messages) == 0 {
			break
		}
		for i := range out.Messages {
			if err := s.resendOne(ctx, queues, consumer, &out.Messages[i], urls); err != nil {
				return sent, fmt.Errorf("dead letters of %s: %w", consumer, err)
			}
			sent++
		}
	}
	return sent, nil
}

func (s *Stack) resendOne(ctx context.Context, queues *sqs.Client, consumer string, m *types.Message, urls map[string]string) error {
	source := m.Attributes[string(types.MessageSystemAttributeNameDeadLetterQueueSourceArn)]
	if urls[source] == "" {
		out, err := queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(source[strings.LastIndexByte(source, ':')+1:])})
		if err != nil {
			return fmt.Errorf("the queue that it comes from, %q: %w", source, err)
		}
		urls[source] = aws.ToString(out.QueueUrl)
	}
	// Its own deduplication id may still be remembered, and what is sent would be dropped. By the id of the dead
	// letter it is sent once, even if it cannot be deleted.
	_, err := queues.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: aws.String(urls[source]), MessageBody: m.Body, MessageAttributes: m.MessageAttributes,
		MessageGroupId: aws.String(m.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)]), MessageDeduplicationId: m.MessageId,
	})
	if err != nil {
		return err
	}
	_, err = queues.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: aws.String(s.parts.DeadLetters[consumer]), ReceiptHandle: m.ReceiptHandle})
	return err
}
