-- What a fall in a startup's valuation puts on the worklist: its loans, its open requests, offers to it that nobody has
-- answered, and listings whose terms it meets no more.
alter table compliance_items drop constraint compliance_items_kind;
alter table compliance_items add constraint compliance_items_kind check (
  subject_kind in ('loan', 'loan_request', 'offer', 'listing', 'organization'));
-- A request may take chips of several models, or by capability, and then names none.
alter table compliance_items drop constraint compliance_items_chips;
alter table compliance_items add constraint compliance_items_chips check (
  case subject_kind
    when 'organization' then chip_model_id is null and quantity is null
    when 'loan_request' then quantity is not null
    else chip_model_id is not null and quantity is not null
  end);
-- A subject waits once; a listing once for each startup that its terms are not met by.
drop index compliance_items_one_open;
create unique index compliance_items_one_open on compliance_items (subject_id, borrower_id) nulls not distinct
  where state = 'open';

create index loan_requests_alive_of_borrower on loan_requests (borrower_id)
  where state in ('open', 'held', 'partly_matched');
create index offers_pending_of_borrower on offers (borrower_id) where state = 'pending';
