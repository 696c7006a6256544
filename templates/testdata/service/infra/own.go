package main

// own is called when everything of a stage is described: add here what is yours, and change here
// what you want otherwise. esgen never writes this file again.
//
// s has every table, function, queue, topic and the API, s.Stack is where constructs of your own
// go, and s.Stage says which stage it is. For example,
//
//	s.Consumers.ShippingEmail.Function.AddToRolePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
//		Actions:   jsii.Strings("ses:SendEmail"),
//		Resources: jsii.Strings("arn:aws:ses:eu-central-1:123456789012:identity/example.com"),
//	}))
//
// lets the consumer shipping-email send mail, and
//
//	s.Query.Node().DefaultChild().(awslambda.CfnFunction).SetMemorySize(jsii.Number(512))
//
// gives the query function more memory, and with it more processor.
//
//	s.Schedule.SetScheduleExpression(jsii.String("rate(1 day)"))
//
// has views compared with the events once a day instead of every hour; reconcile_gen.go has more of that.
func own(s *ServiceStack) {
}
