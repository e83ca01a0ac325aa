"""Do taipan and another solver give the same answers?"""
