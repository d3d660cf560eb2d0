"""The fields of each kind of record and the names other systems give them, folded.

The order of the names is their priority. Sources: Salesforce Data Loader and report headers, HubSpot exports
and tables, Pipedrive, Apollo, Mautic, Marketo, plain spreadsheets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record. ``needs``: of each group of fields one column must be there."""

    label: str
    needs: tuple[tuple[str, ...], ...]


KINDS: Mapping[str, Kind] = {
    "users": Kind("Users", (("name", "last_name", "first_name", "email"),)),
    "companies": Kind("Companies", (("name",),)),
    "people": Kind("People", (("external_id", "email", "phone", "mobile_phone"),)),
    "leads": Kind("Leads", (("external_id", "email", "phone", "mobile_phone"),)),
    "products": Kind("Products", (("name",),)),
    "opportunities": Kind("Opportunities", (("external_id",),)),
    "touchpoints": Kind("Touchpoints", (("person_ref", "lead_ref", "email"), ("occurred_at",))),
    "activities": Kind("Activities", (("person_ref", "lead_ref", "company_ref", "email"), ("occurred_at",))),
}

# (field, field whose column it shares when it has none)
SHARED_COLUMNS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "opportunities": (("external_id", "lead_ref"),),
}

_PERSON = {
    "first_name": "firstname givenname forename vorname prenom contactfirstname personfirstname",
    "last_name": "lastname surname familyname nachname nom sobrenome contactlastname personlastname",
    "name": "name fullname contactname leadname personname customername prospectname",
    "email": "email emailaddress mail primaryemail workemail businessemail contactemail emailid leademail"
    " personemailwork personemail personemailhome personemailother",
    "phone": "phone phonenumber telephone tel businessphone workphone contactphone officephone telefon"
    " telefone workdirectphone personphonework personphone corporatephone companyphone otherphone",
    "mobile_phone": "mobilephone mobile mobilephonenumber cell cellphone mobilenumber handy celular"
    " personphonemobile",
    "title": "title jobtitle position jobrole job designation personjobtitle",
    "company": "company companyname companyaccount account accountname organization organisation"
    " organizationname organisationname associatedcompany employer firma empresa companyoraccount"
    " companynameforemails personorganization inferredcompany",
    "company_ref": "accountid companyid associatedcompanyid primaryassociatedcompanyid organizationid"
    " apolloaccountid",
    "website": "website websiteurl companydomainname companydomain domain url homepage companywebsite",
    "country": "country countryregion mailingcountry billingcountry countryname land pais",
    "city": "city mailingcity billingcity town suburb stadt cidade",
    "language": "language preferredlanguage locale hslanguage preferredlocale",
    "is_deleted": "isdeleted deleted fivetrandeleted",
    # Consent: whoever opted out of e-mail, calls or everything; what somebody agreed to, and when.
    "no_email": "hasoptedoutofemail emailoptout optedoutofemail unsubscribed unsubscribedfromallemail"
    " hsemailoptout donotemail emailunsubscribed",
    "no_phone": "donotcall donotphone phoneoptout",
    "no_contact": "donotcontact dnc donottrackorcontact marketingsuspended",
    "consent": "consent marketingconsent optin emailoptin emailconsent gdprconsent newsletter"
    " subscribedtonewsletter",
    "consent_at": "consentat consentdate optindate optintimestamp consentedat",
}
_ORIGIN = {
    "origin": "origin leadsource originalsource source originalsourcetype hsanalyticssource contactsource"
    " leadorigin latestsource fuente quelle accountsource personsource registrationsourcetype",
    "medium": "medium utmmedium",
    "utm_source": "utmsource",
    "campaign": "campaign campaignname utmcampaign primarycampaignsource",
    "campaign_ref": "campaignid",
    "landing_page": "landingpage landingpageid landingpageurl firstpageseen hsanalyticsfirsturl landingurl"
    " conversionpage",
}
_CAPTURED = (
    "capturedat captured captureddate firstcontactdate createdate createddate createdat created creationdate"
    " leadcreated leadcreateddate leadcreatedate dateadded signupdate becamealeaddate leadleadcreated"
    " personpersoncreated timestamp date"
)
_FIRMOGRAPHICS = {
    "industry": "industry sector branch branche segment vertical",
    "employees": "employees numberofemployees employeecount noofemployees headcount companysize numemployees"
    " numberemployees",
    "annual_revenue": "annualrevenue revenue turnover umsatz",
}

_FIELDS: Mapping[str, Mapping[str, str]] = {
    "users": {
        "external_id": "externalid userid id ownerid recordid",
        "name": "name fullname salesagent salesrep rep agent owner ownername user",
        "first_name": "firstname givenname",
        "last_name": "lastname surname familyname",
        "email": "email emailaddress mail useremail owneremail username",
        "role": "role userrole rolename",
        "team": "team teamname department primaryteam division",
        "region": "region regionaloffice office territory",
        "manager": "manager managername managerid supervisor teamlead",
        "is_active": "isactive active enabled",
        "is_deleted": "isdeleted deleted fivetrandeleted",
    },
    "companies": {
        "external_id": "externalid companyid accountid id recordid organizationid uuid",
        "name": "name companyname account accountname company organization organisation organizationname"
        " businessname firma empresa",
        "website": "website domain websiteurl companydomainname companydomain url homepage domainname",
        **_FIRMOGRAPHICS,
        "currency": "currency currencyisocode currencycode annualrevenuecurrency",
        "country": "country billingcountry countryregion officelocation location headquarters countryname"
        " land",
        "city": "city billingcity town",
        "phone": "phone phonenumber telephone",
        "parent": "parent parentcompany subsidiaryof parentaccount parentname",
        "parent_ref": "parentid parentaccountid parentcompanyid hsparentcompanyid",
        "is_deleted": "isdeleted deleted fivetrandeleted",
    },
    "people": {
        "external_id": "externalid contactid personid id recordid recid uniqueid uuid customerid prospectid"
        " apollocontactid",
        **_PERSON,
    },
    "leads": {
        "external_id": "externalid leadid mqlid prospectid id recordid uuid recid uniqueid enquiryid"
        " inquiryid contactid leadnumber apollocontactid personid",
        **_PERSON,
        "owner": "owner ownername leadowner contactowner ownerid owneremail salesagent salesrep"
        " hubspotownerid assignedto leadownerid leadowneremailaddress",
        **_ORIGIN,
        "captured_at": _CAPTURED,
        "stage": "stage lifecyclestage leadstage status leadstatus hsleadstatus funnelstage",
        "is_converted": "isconverted",
        "is_customer": "iscustomer converted becamecustomer",
        "converted_at": "converteddate convertedat",
        "description": "description message comments comment notes note inquiry enquiry",
    },
    "products": {
        "external_id": "externalid productid id recordid sku productcode code",
        "name": "name productname product title",
        "series": "series family productfamily category line productline",
        "price": "price salesprice listprice unitprice standardprice amount",
        "currency": "currency currencyisocode currencycode",
        "is_active": "isactive active",
        "is_deleted": "isdeleted deleted fivetrandeleted",
    },
    "opportunities": {
        "external_id": "externalid opportunityid dealid id recordid uuid opportunitynumber",
        "name": "name opportunityname dealname title dealtitle",
        "owner": "salesagent owner ownername opportunityowner dealowner ownerid hubspotownerid salesrep srid"
        " owneremail assignedto dealdealowner",
        "product": "product productname productid productinterest primaryproduct",
        "company": "account accountname company companyname associatedcompany organization organisation"
        " customer customername associatedcompanies",
        "company_ref": "accountid companyid associatedcompanyid associatedcompanyids organizationid",
        "lead_ref": "mqlid leadid leadexternalid originlead convertedleadid prospectid",
        "person_ref": "contactid personid primarycontactid associatedcontactid associatedcontactids",
        "email": "email contactemail emailaddress",
        "stage": "stage stagename dealstage opportunitystage salesstage dealpipelinestageid dealstatus"
        " status",
        "is_won": "iswon won isclosedwon hsisclosedwon",
        "is_closed": "isclosed closed hsisclosed",
        "amount": "amount closevalue dealamount value opportunityamount dealvalue revenue totalamount price",
        "currency": "currency currencyisocode currencycode dealcurrencycode dealcurrency dealcurrencyofvalue",
        "opened_at": "openedat opened engagedate createdate createddate createdat created opendate startdate"
        " creationdate",
        "closed_at": "closedat closedate closeddate dateclosed",
        "won_at": "wonat wondate closedwondate dealwontime wontime",
        "lost_at": "lostat lostdate closedlostdate deallosttime losttime",
        "expected_close_on": "expectedcloseon expectedclosedate expectedclose forecastclosedate"
        " dealexpectedclosedate",
        "lost_reason": "lostreason closedlostreason lossreason reasonlost deallostreason reason",
        "competitor": "competitor maincompetitor maincompetitors",
        "is_deleted": "isdeleted deleted fivetrandeleted",
    },
    "touchpoints": {
        "external_id": "externalid touchpointid interactionid eventid id recordid uuid",
        "person_ref": "contactid personid leadorcontactid userid",
        "lead_ref": "leadid mqlid prospectid",
        "email": "email emailaddress contactemail",
        "occurred_at": "occurredat timestamp touchpointdate touchdate interactiondate eventdate"
        " firstrespondeddate date time createddate createdat createdate created",
        "kind": "kind touchpointtype interactiontype touchpointkind eventtype",
        "origin": "channel source origin utmsource touchpointsource leadsource",
        "medium": "medium utmmedium",
        "campaign": "campaign campaignname utmcampaign",
        "campaign_ref": "campaignid",
        "title": "content contentname contenttitle asset assetname formname pagetitle subject",
        "url": "url page pageurl landingpage landingpageurl link",
        "referrer": "referrer referrerurl",
        "is_deleted": "isdeleted deleted fivetrandeleted",
    },
    "activities": {
        "external_id": "externalid activityid engagementid taskid eventid id recordid uuid",
        "person_ref": "contactid personid whoid",
        "lead_ref": "leadid mqlid prospectid",
        "company_ref": "accountid companyid",
        "email": "email contactemail emailaddress",
        "kind": "kind activitytype engagementtype tasksubtype type activitykind",
        "direction": "direction calltype calldirection hscalldirection",
        "outcome": "outcome calldisposition meetingoutcome disposition result hscalldisposition",
        "subject": "subject title emailsubject hsemailsubject summary name",
        "body": "body description notebody hsnotebody bodypreview hsbodypreview emailtext hsemailtext notes"
        " comments text",
        "occurred_at": "occurredat completeddatetime completedat timestamp hstimestamp starttime"
        " date createddate createdat hscreatedate createdate activitydate",
        "due_at": "dueat duedate activitydate",
        "is_done": "isdone done isclosed completed",
        "status": "status taskstatus",
        "duration_seconds": "durationseconds calldurationinseconds duration callduration",
        "owner": "owner ownername ownerid actor user hubspotownerid assignedto salesagent owneremail",
        "is_deleted": "isdeleted deleted fivetrandeleted",
    },
}

SYNONYMS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    kind: {
        field: (*dict.fromkeys((field.replace("_", ""), *names.split())),) for field, names in fields.items()
    }
    for kind, fields in _FIELDS.items()
}
